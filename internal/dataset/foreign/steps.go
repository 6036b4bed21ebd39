package foreign

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"assay"
	"assay/internal/patch"
)

// The steps of scripts that lay and run tests, which a clean room makes needless: it
// does them again, undoes what it laid, or prints whole trees.
const (
	stepTrust = "git config safe.directory"
	stepPrint = "git status, show, diff"
	stepReset = "git checkout, rm of the tests"
	stepLay   = "git apply of the test patch"
)

// StepsTaken counts the steps that were taken out of a script, by what they do.
type StepsTaken map[string]int

// Add counts the steps of another script as well.
func (s StepsTaken) Add(more StepsTaken) {
	for step, n := range more {
		s[step] += n
	}
}

// String lists the steps, sorted.
func (s StepsTaken) String() string {
	var parts []string
	for _, step := range sortedKeys(s) {
		parts = append(parts, fmt.Sprintf("%s (%d)", step, s[step]))
	}
	return strings.Join(parts, "; ")
}

// laid is what the clean room has done before a script runs: the tests lie in the work
// tree as the test patch leaves them.
type laid struct {
	workdir   string
	base      string // the commit that scripts take tests back to; "" for any
	testPatch string
}

// laidFor is what the clean room does for a sample, in the terms of its row.
func laidFor(s *assay.Sample) laid {
	return laid{workdir: s.Task.Workdir, base: s.BaseCommit, testPatch: s.TestPatch}
}

// withoutSteps returns commands of the row without the steps that the clean room makes
// needless, and keeps which they were.
func (c *columns) withoutSteps(l laid, script string) string {
	rest, taken, lays := l.strip(script)
	c.steps, c.laysTests = taken, lays
	return rest
}

// strip returns a script without the steps that the clean room makes needless, and
// which they were. A step is a simple command of the script that has its lines for
// itself; everything else comes through byte for byte, and so does a script that is
// no bash that is understood. kept tells that the script handles the tests in another way as well, so
// that it still has to lay them itself.
func (l laid) strip(script string) (rest string, taken StepsTaken, kept bool) {
	if len(script) > maxCommand { // which no verifier may have, and a bound of the parser's depth
		return script, nil, strings.Contains(script, "git apply")
	}
	f, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil || !understood(f, script) {
		return script, nil, strings.Contains(script, "git apply")
	}
	r := newStepReader(l, script, f)
	r.mark()
	kept = !r.layingKnown()
	if kept {
		r.unmark(stepReset, stepLay)
	}
	if r.callsGit() { // which looks at the repository's owner
		r.unmark(stepTrust)
	}
	return r.without(), r.taken(), kept || r.stillLays
}

// stepReader reads the statements of a script in their order.
type stepReader struct {
	laid
	script string
	stmts  []*syntax.Stmt
	steps  []string        // of each statement, which step it is; "" for none
	tests  map[string]bool // paths that the test patch touches
	parts  map[string]bool // and the components of these paths
	files  []patch.File

	stillLays bool // a step that lays the tests stays: its end is asked for, or it does not stand alone
}

func newStepReader(l laid, script string, f *syntax.File) *stepReader {
	r := &stepReader{laid: l, script: script, stmts: f.Stmts, steps: make([]string, len(f.Stmts)), tests: map[string]bool{}, parts: map[string]bool{}}
	set, err := patch.Parse(l.testPatch)
	if err != nil {
		return r // the fault is told where samples are checked
	}
	r.files = set.Files
	for _, name := range set.Paths() {
		r.tests[name] = true
		for part := range strings.SplitSeq(name, "/") {
			r.parts[part] = true
		}
	}
	return r
}

// mark finds the steps. What stands between the markers is the output of the tests, and
// what comes after an exec with a redirection may be read by somebody.
func (r *stepReader) mark() {
	cwd, testing, redirected := r.workdir, false, false
	for i, stmt := range r.stmts {
		cwd = changeDir(cwd, stmt)
		redirected = redirected || len(stmt.Redirs) > 0 && commandOf(stmt) == "exec"
		if marks(stmt, startMarker) || marks(stmt, endMarker) {
			testing = marks(stmt, startMarker)
		}
		if testing {
			continue
		}
		step := r.step(stmt)
		alone := r.alone(i) && (i+1 == len(r.stmts) || !readsStatus(r.stmts[i+1]))
		r.stillLays = r.stillLays || step == stepLay && cwd == r.workdir && !alone
		read := step == stepPrint && redirected
		elsewhere := (step == stepReset || step == stepLay) && cwd != r.workdir
		if step != "" && !read && !elsewhere && alone {
			r.steps[i] = step
		}
	}
}

func (r *stepReader) unmark(steps ...string) {
	for i, step := range r.steps {
		if slices.Contains(steps, step) {
			r.steps[i] = ""
		}
	}
}

// step tells which step a statement is; "" for none.
func (r *stepReader) step(stmt *syntax.Stmt) string {
	head, _, _ := strings.Cut(r.script[stmt.Pos().Offset():r.end(stmt)], "<<")
	if stmt.Negated || stmt.Background || stmt.Coprocess || stmt.Disown || strings.Contains(head, "\r") {
		return "" // bash takes a carriage return for a part of a word
	}
	if r.resets(stmt) {
		return stepReset
	}
	args := gitArgs(stmt)
	if len(args) == 0 {
		return ""
	}
	switch {
	case args[0] == "apply" && r.lays(stmt, args[1:]):
		return stepLay
	case len(stmt.Redirs) > 0:
		return ""
	case slices.Equal(args, []string{"status"}), slices.Equal(args, []string{"show"}),
		r.base != "" && slices.Equal(args, []string{"diff", r.base}):
		return stepPrint
	case slices.Equal(args, []string{"config", "--global", "--add", "safe.directory", r.workdir}),
		slices.Equal(args, []string{"config", "--global", "--add", "safe.directory", "*"}):
		return stepTrust
	}
	return ""
}

// resets tells whether a statement takes tests back to what they were: those that were
// there by git checkout, those that were not by rm, or both, one after the other.
func (r *stepReader) resets(stmt *syntax.Stmt) bool {
	if len(stmt.Redirs) > 0 || stmt.Negated || stmt.Background {
		return false
	}
	if both, ok := stmt.Cmd.(*syntax.BinaryCmd); ok {
		return both.Op == syntax.AndStmt && r.resets(both.X) && r.resets(both.Y)
	}
	var names []string
	if args := gitArgs(stmt); len(args) > 2 && args[0] == "checkout" && (args[1] == r.base || r.base == "" && isCommit(args[1])) {
		names = args[2:]
		if names[0] == "--" {
			names = names[1:]
		}
	} else if args := literalArgs(stmt); len(args) > 2 && args[0] == "rm" && args[1] == "-f" {
		names = args[2:]
	}
	return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !r.tests[name] })
}

// isCommit tells whether a word is the full name of a commit.
func isCommit(word string) bool {
	return len(word) == 40 && strings.Trim(word, "0123456789abcdef") == ""
}

// lays tells whether git apply gets the test patch, or some files of it, from a here-document.
func (r *stepReader) lays(stmt *syntax.Stmt, args []string) bool {
	for _, arg := range args {
		if !slices.Contains([]string{"-v", "--verbose", "-"}, arg) {
			return false
		}
	}
	if len(stmt.Redirs) != 1 || stmt.Redirs[0].Op != syntax.Hdoc || stmt.Redirs[0].N != nil || stmt.Redirs[0].Hdoc == nil {
		return false
	}
	body, ok := literalBody(r.script, stmt.Redirs[0])
	if !ok || strings.TrimSpace(body) == "" {
		return false
	}
	if strings.TrimRight(body, "\n") == strings.TrimRight(r.testPatch, "\n") {
		return true
	}
	set, err := patch.Parse(body)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(set.Files, func(f patch.File) bool {
		return !slices.ContainsFunc(r.files, func(other patch.File) bool { return reflect.DeepEqual(f, other) })
	})
}

// layingKnown tells whether the steps that handle the tests are all there is to it: no
// other patch is applied in the place of the test patch, and nothing that stays
// undoes, before the script lays the tests, what the clean room laid.
func (r *stepReader) layingKnown() bool {
	last := -1
	for i, step := range r.steps {
		if step == stepLay {
			last = i
		}
	}
	for i, stmt := range r.stmts {
		if r.steps[i] != "" {
			continue
		}
		if last < 0 && slices.Contains(r.steps, stepReset) && applies(stmt) || i < last && r.undoes(stmt) {
			return false
		}
	}
	return true
}

// callsGit tells whether the script still calls git itself.
func (r *stepReader) callsGit() bool {
	for i, stmt := range r.stmts {
		if r.steps[i] == "" && anyCall(stmt, func(words []string) bool { return slices.ContainsFunc(words, isGit) }) {
			return true
		}
	}
	return false
}

// alone tells whether a statement has its lines for itself.
func (r *stepReader) alone(i int) bool {
	from, to := r.lines(r.stmts[i])
	before, behind := r.script[from:r.stmts[i].Pos().Offset()], strings.TrimLeft(r.script[r.end(r.stmts[i]):to], " \t")
	if strings.Trim(before, " \t") != "" || strings.TrimSuffix(behind, "\n") != "" && behind[0] != '#' {
		return false
	}
	return (i == 0 || r.end(r.stmts[i-1]) <= from) && (i+1 == len(r.stmts) || int(r.stmts[i+1].Pos().Offset()) >= to)
}

// lines returns where the lines of a statement begin and end.
func (r *stepReader) lines(stmt *syntax.Stmt) (from, to int) {
	from = strings.LastIndexByte(r.script[:stmt.Pos().Offset()], '\n') + 1
	to = r.end(stmt)
	if i := strings.IndexByte(r.script[to:], '\n'); i >= 0 {
		return from, to + i + 1
	}
	return from, len(r.script)
}

// end returns where a statement ends, with the here-documents that belong to it.
func (r *stepReader) end(stmt *syntax.Stmt) int {
	end := int(stmt.End().Offset())
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if redirect, ok := n.(*syntax.Redirect); ok && redirect.Hdoc != nil {
			end = max(end, int(redirect.Hdoc.End().Offset()))
		}
		return true
	})
	return end
}

// without returns the script without its steps.
func (r *stepReader) without() string {
	var b strings.Builder
	at := 0
	for i, stmt := range r.stmts {
		if r.steps[i] != "" {
			from, to := r.lines(stmt)
			b.WriteString(r.script[at:from])
			at = to
		}
	}
	return b.String() + r.script[at:]
}

func (r *stepReader) taken() StepsTaken {
	var taken StepsTaken
	for _, step := range r.steps {
		if step != "" {
			if taken == nil {
				taken = StepsTaken{}
			}
			taken[step]++
		}
	}
	return taken
}

// undoes tells whether a statement that stays may change what the clean room laid.
func (r *stepReader) undoes(stmt *syntax.Stmt) bool {
	names := false
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if word, ok := n.(*syntax.Word); ok {
			text, literal := literalWord(word)
			names = names || literal && r.tests[path.Clean(strings.TrimPrefix(text, r.workdir+"/"))]
		}
		return !names
	})
	return names || anyCall(stmt, func(words []string) bool { return r.undoesByName(words) || r.runsText(words) || r.findsTests(words) })
}

// runsText tells whether a command has a shell run text that may change the tests: it calls
// git, or has a name of the test patch in it. Text that is not known before it runs is taken for
// what enters an environment.
func (r *stepReader) runsText(words []string) bool {
	shell := slices.IndexFunc(words, func(word string) bool {
		return slices.Contains([]string{"eval", "bash", "sh", "dash", "zsh"}, path.Base(word))
	})
	if shell < 0 || path.Base(words[shell]) != "eval" && !slices.ContainsFunc(words[shell:], func(word string) bool {
		return strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") && strings.Contains(word, "c")
	}) {
		return false
	}
	text := strings.Join(words[shell+1:], " ")
	if strings.Contains(text, "git ") {
		return true
	}
	for name := range r.tests {
		if strings.Contains(text, path.Base(name)) {
			return true
		}
	}
	return false
}

// findsTests tells whether a command looks for files and removes or changes them, which may
// be the tests by their names.
func (r *stepReader) findsTests(words []string) bool {
	find := slices.IndexFunc(words, func(word string) bool { return path.Base(word) == "find" })
	if find < 0 || !slices.ContainsFunc(words[find:], func(word string) bool {
		return word == "-delete" || strings.HasPrefix(word, "-exec") || strings.HasPrefix(word, "-ok")
	}) {
		return false
	}
	named := false
	for i := find; i+1 < len(words); i++ {
		if words[i] != "-name" && words[i] != "-iname" {
			continue
		}
		named = true
		for part := range r.parts {
			if ok, err := path.Match(strings.ToLower(words[i+1]), strings.ToLower(part)); ok || err != nil || words[i+1] == "$" {
				return true
			}
		}
	}
	return !named
}

// treeChangers are the subcommands of git that change files of the work tree, and how
// many words that are no options they have at least when some of these are paths; 0
// where none is.
var treeChangers = map[string]int{
	"checkout": 2, "restore": 1, "clean": 1, "rm": 1, "mv": 1,
	"switch": 0, "reset": 0, "stash": 0, "revert": 0, "merge": 0, "rebase": 0, "pull": 0, "cherry-pick": 0, "read-tree": 0, "am": 0,
}

// undoesByName tells whether a command may change files that the test patch touches, by
// what it is called and the names that it is given. They may be relative to anything.
func (r *stepReader) undoesByName(words []string) bool {
	paths := -1
	for i, word := range words {
		if least, changes := treeChangers[word]; changes && slices.ContainsFunc(words[:i], isGit) {
			paths, words = least, words[i+1:]
			break
		}
		if slices.Contains([]string{"rm", "mv", "cp", "rsync", "patch"}, path.Base(word)) {
			paths, words = 1, words[i+1:]
			break
		}
	}
	if paths < 0 {
		return false
	}
	given, after := 0, slices.Contains(words, "--")
	for _, word := range words {
		if strings.HasPrefix(word, "-") {
			continue
		}
		given++
		if clean := path.Clean(word); strings.ContainsAny(word, "*?[:$") || clean == "." || clean == ".." || clean == r.workdir || r.parts[path.Base(clean)] {
			return true
		}
	}
	return !after && (paths == 0 || given < paths) || given == 0
}
