// Package searchtest has toy suites for tests of the search of alterations, and of what uses
// them. They are written in small parts of Python, Go and JavaScript, such that the
// candidates are those of real tests, and are run by interpreters on a toy code file, whose
// lines say what each function does: "shout = upper".
package searchtest

import (
	"context"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"assay/internal/sandbox"
	"assay/internal/sandbox/memory"
)

// CodeFile is what a work changes.
const CodeFile = "pkg/code.py"

// toyCode is what each function of a code file does.
type toyCode map[string]string

func readCode(text string) toyCode {
	code := make(toyCode)
	for line := range strings.Lines(text) {
		if name, does, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
			code[name] = does
		}
	}
	return code
}

// behaviours are what functions can do. The traps are sprung by anything but "steady".
var behaviours = map[string]func(string) string{
	"upper":   strings.ToUpper,
	"lower":   strings.ToLower,
	"same":    func(s string) string { return s },
	"wrap":    func(s string) string { return "<" + s + ">" },
	"nothing": func(string) string { return "" },
	"length":  func(s string) string { return strconv.Itoa(len(s)) },
	"reverse": func(s string) string {
		letters := []byte(s)
		slices.Reverse(letters)
		return string(letters)
	},
	"refuse": func(s string) string { panic(raised{"ValueError", "no such word: " + s}) },
	"hang": func(s string) string {
		if s != "steady" {
			panic(hangs{})
		}
		return s
	},
	"crash": func(s string) string {
		if s != "steady" {
			panic(crashes{})
		}
		return s
	},
	"forgets": func(s string) string {
		if s == "parcel" || s == "harbour" {
			return ""
		}
		return strings.ToUpper(s)
	},
	"forgetful": func(s string) string {
		if s == "parcel" {
			return ""
		}
		return strings.ToUpper(s)
	},
}

// What ends a test, or more than a test.
type (
	raised  struct{ name, text string }
	hangs   struct{}
	crashes struct{} // of the whole process: the tests that follow are not run
)

// isData tells whether a file is data that tests read.
func isData(name string) bool {
	return strings.HasSuffix(name, ".golden") || strings.HasSuffix(name, ".snap")
}

// dataOf is where code has the text of a file of data.
func dataOf(name string) string { return "(data) " + name }

// snapshot is what a file of snapshots holds under a name.
func (c toyCode) snapshot(name string) string {
	for key, text := range c {
		if _, after, ok := strings.Cut(text, "exports[`"+name+"`] = `"); ok && strings.HasPrefix(key, dataOf("")) {
			value, _, _ := strings.Cut(after, "`;")
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (c toyCode) call(name, arg string) string {
	switch name {
	case "read":
		return strings.TrimSpace(c[dataOf(arg)])
	case "snapshot":
		return c.snapshot(arg)
	}
	does, defined := c[strings.ToLower(name)]
	if !defined {
		panic(raised{"NameError", "name '" + name + "' is not defined"})
	}
	switch does {
	case "take":
		if c[taken] != "" {
			panic(raised{"RuntimeError", "it was not given back"})
		}
		c[taken] = arg
		return arg
	case "give back":
		delete(c, taken)
		return arg
	}
	return behaviours[does](arg)
}

// taken is what a test leaves behind that fails between "take" and "give back".
const taken = "(taken)"

// toyTest is a test that can be run. It returns what it says when it fails.
type toyTest struct {
	class, name string
	run         func(toyCode) (message, details string)
	quiet       bool // it has no result of its own
}

// program runs the files of a suite, in order, and writes a report as runners do. With run
// it is told how often it was run, for tests that are not always the same.
func program(files []string, run func() int) memory.Program {
	return func(ctx context.Context, p *memory.Process) sandbox.ExitStatus {
		text := func(name string) string {
			file, err := p.Files.Get("/work/" + name)
			if err != nil {
				return ""
			}
			return string(file.Content)
		}
		s := &toyRun{code: readCode(text(CodeFile)), out: p, nth: run()}
		for _, name := range files {
			if isData(name) {
				s.code[dataOf(name)] = text(name)
			}
		}
		for _, name := range files {
			if src := text(name); src != "" && !isData(name) && !s.file(ctx, name, src) {
				break
			}
		}
		if s.timedOut {
			<-ctx.Done()
			return sandbox.ExitStatus{}
		}
		if s.broken {
			return sandbox.ExitStatus{Code: 2}
		}
		report := `<testsuites><testsuite name="toy">` + s.report.String() + `</testsuite></testsuites>`
		p.Files.Put("/work/report.xml", memory.File{Content: []byte(report)})
		return sandbox.ExitStatus{Code: min(s.failed, 1)}
	}
}

// toyRun is one run of a suite.
type toyRun struct {
	code     toyCode
	out      *memory.Process
	nth      int // of all runs of the suite
	report   strings.Builder
	failed   int
	timedOut bool
	broken   bool // there is no report
}

// file runs the tests of a file. It is false when nothing can follow.
func (s *toyRun) file(ctx context.Context, name, src string) bool {
	if at := compileError(src); at > 0 {
		fmt.Fprintf(s.out.Stdout, "%s:%d:7: not steady\n", name, at)
		s.broken = strings.HasSuffix(name, ".go")
		if !s.broken { // the others' files are run
			s.put(strings.TrimSuffix(strings.ReplaceAll(name, "/", "."), ".py"), "", "collection failure", "", true)
		}
		return !s.broken
	}
	var tests []toyTest
	switch {
	case strings.HasSuffix(name, ".go"):
		if call := undefined.FindString(src); call != "" && s.code[strings.ToLower(call[len("code."):len(call)-1])] == "" {
			fmt.Fprintf(s.out.Stdout, "%s:%d:7: undefined: %s\n", name, lineOf(src, call), call)
			s.broken = true
			return false
		}
		tests = goTests(name, src)
	case strings.HasSuffix(name, ".js"):
		tests = jsTests(name, src)
	default:
		tests = pythonTests(name, src, s.nth)
	}
	for _, test := range tests {
		if !s.test(test) {
			return false
		}
	}
	return true
}

var (
	undefined = regexp.MustCompile(`code\.\w+\(`)
	compiled  = regexp.MustCompile(`compiled\((["'])(.*?)["']\)`)
)

func lineOf(src, text string) int {
	before, _, _ := strings.Cut(src, text)
	return strings.Count(before, "\n") + 1
}

// compileError returns the line that keeps a file from being compiled or loaded, or 0.
func compileError(src string) int {
	for n, line := range strings.Split(src, "\n") {
		if m := compiled.FindStringSubmatch(line); m != nil && m[2] != "steady" {
			return n + 1
		}
	}
	return 0
}

// test runs a test. It is false when nothing can follow.
func (s *toyRun) test(t toyTest) (goesOn bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case hangs:
			s.timedOut, goesOn = true, false
		case crashes:
			s.put(t.class, t.name, "panic: index out of range", "", true)
			goesOn = false
		default:
			panic(r)
		}
	}()
	message, details := t.run(s.code)
	if !t.quiet {
		s.put(t.class, t.name, message, details, message != "")
	}
	return true
}

func (s *toyRun) put(class, name, message, details string, failed bool) {
	fmt.Fprintf(&s.report, `<testcase classname="%s" name="%s" time="0.001">`, html.EscapeString(class), html.EscapeString(name))
	if failed {
		s.failed++
		fmt.Fprintf(&s.report, `<failure message="%s">%s</failure>`, html.EscapeString(message), html.EscapeString(details))
	}
	s.report.WriteString(`</testcase>`)
}

// value evaluates an expression: a literal, a variable or a call of one argument.
func value(code toyCode, vars map[string]string, text string) string {
	text = strings.TrimSuffix(strings.TrimSpace(text), ".strip()")
	switch m := callForm.FindStringSubmatch(text); {
	case text[0] == '"' || text[0] == '\'' || text[0] == '`':
		return text[1 : len(text)-1]
	case m != nil && m[1] == "compiled":
		return "steady"
	case m != nil:
		return code.call(m[1], value(code, vars, m[2]))
	}
	if v, ok := vars[text]; ok {
		return v
	}
	return text // a number
}

var callForm = regexp.MustCompile(`^(?:code\.)?(\w+)\((.*)\)$`)

// strs are the literals of a line.
var strs = regexp.MustCompile(`"([^"]*)"|'([^']*)'`)

func literals(line string) []string {
	var list []string
	for _, m := range strs.FindAllStringSubmatch(line, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}

func bind(names, values []string, vars map[string]string) map[string]string {
	all := make(map[string]string)
	for k, v := range vars {
		all[k] = v
	}
	for i, name := range names {
		if i < len(values) {
			all[name] = values[i]
		}
	}
	return all
}
