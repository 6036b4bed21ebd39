package evaluate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/steering"
)

// Rewritten is something that was written while a suite ran and could have been read by a
// later test or by the runner: a test, what steers a runner, an installed program.
type Rewritten struct {
	Path string // relative to the work tree, or absolute
	Gone bool
	New  bool
	// Digest is of what a file that was laid holds at the end: tests in their reference state,
	// their altered versions, canaries.
	Digest string
}

func (w Rewritten) String() string {
	switch {
	case w.Gone:
		return w.Path + " was removed"
	case w.New:
		return w.Path + " was put there"
	}
	return w.Path + " was written to"
}

// afterLook tells what of a clean sandbox was written while a suite ran. Where the runtime
// cannot tell, nothing is known, and nothing is said.
type afterLook struct {
	env  *environment
	mark sandbox.Mark
}

// lookBefore notes what is there before a suite runs.
func (env *environment) lookBefore(ctx context.Context) (*afterLook, error) {
	marker, ok := env.box.(sandbox.Marker)
	if !ok {
		return nil, nil
	}
	mark, err := marker.Mark(ctx)
	if err != nil {
		return nil, fmt.Errorf("note what the suite finds: %w", err)
	}
	return &afterLook{env: env, mark: mark}, nil
}

// rewritten returns what counts of what was written since, sorted.
func (l *afterLook) rewritten(ctx context.Context) (found []Rewritten, err error) {
	if l == nil {
		return nil, nil
	}
	if err := l.mark.Written(ctx, l.env.noteFresh); err != nil {
		return nil, fmt.Errorf("look at what the suite made: %w", err)
	}
	err = l.mark.Written(ctx, func(w sandbox.Written) error {
		name, counts := l.env.rewritten(w)
		if !counts {
			return nil
		}
		one := Rewritten{Path: name, Gone: w.Gone, New: !w.Had}
		if l.env.laid[name] && !w.Gone {
			one.Digest, err = l.env.digest(ctx, name)
		}
		found = append(found, one)
		return err
	})
	if err = errors.Join(err, l.env.failed); err != nil {
		return nil, fmt.Errorf("look at what the suite wrote: %w", err)
	}
	slices.SortFunc(found, func(a, b Rewritten) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

// freshNames are files of the work tree that a suite made. Beyond some, everything might be
// one: what the tree has by now is not to pass for what it had.
type freshNames struct {
	names map[string]bool
	more  bool
}

const maxFreshNames = 100_000

func (f *freshNames) has(name string) bool { return f.more || f.names[name] }

func (env *environment) noteFresh(w sandbox.Written) error {
	name, inside := env.inTree(w.Name)
	if w.Had || !inside || env.fresh.more {
		return nil
	}
	if env.fresh.names == nil {
		env.fresh.names = make(map[string]bool)
	}
	env.fresh.names[name] = true
	env.fresh.more = len(env.fresh.names) == maxFreshNames
	return nil
}

// inTree returns the name of a file relative to the work tree, if it is there.
func (env *environment) inTree(name string) (rel string, inside bool) {
	return strings.CutPrefix(name, strings.TrimSuffix(env.sample.Task.Workdir, "/")+"/")
}

// rewritten names what was written, and tells whether it counts.
func (env *environment) rewritten(w sandbox.Written) (name string, counts bool) {
	name, inside := env.inTree(w.Name)
	if !inside {
		return w.Name, steering.WrittenOutside(w.Name, w.Had)
	}
	if env.laid[name] {
		return name, w.Had
	}
	_, counts = env.guard.Written(name, w.Had)
	return name, counts
}

// digest names what a file of the work tree holds.
func (env *environment) digest(ctx context.Context, name string) (string, error) {
	content, _, err := env.box.ReadFile(ctx, path.Join(env.sample.Task.Workdir, name), maxLookedAtFile)
	if isNoFile(err) || errors.Is(err, sandbox.ErrTooLarge) {
		return "none", nil
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

// Inexcusable returns what of a run the reference fix does not do as well: suites may
// install packages, and tests write to files that are there. Of a file that was laid both
// must leave the same.
func Inexcusable(run, reference []Rewritten) []Rewritten {
	does := make(map[string]Rewritten, len(reference))
	for _, w := range reference {
		does[w.Path] = w
	}
	return slices.DeleteFunc(slices.Clone(run), func(w Rewritten) bool {
		as, too := does[w.Path]
		return too && as.Digest == w.Digest && as.Gone == w.Gone
	})
}

// holdAgainstReference makes a verdict that rewrote what it was judged by unsolved, unless the
// suite does the same with the reference fix or, where there is none, without any work.
func (r *run) holdAgainstReference(ctx context.Context, verdict *assay.Verdict, found []Rewritten) error {
	if len(found) == 0 || !verdict.Solved {
		return nil
	}
	reference, err := r.rewrittenByReference(ctx)
	if err != nil {
		return err
	}
	found = Inexcusable(found, reference)
	if len(found) == 0 {
		return nil
	}
	var all []string
	for i, w := range found {
		if i == maxTampering {
			all = append(all, fmt.Sprintf("and %d more files were", len(found)-i))
			break
		}
		all = append(all, "while the suite ran, "+w.String())
	}
	verdict.Solved, verdict.Reason = false, "what the tests are run from was changed under them: "+all[0]
	verdict.Contradictions = append(verdict.Contradictions, all...)
	for _, what := range all {
		verdict.Tampering = append(verdict.Tampering, assay.Tampering{Kind: assay.TamperingForgery, Detail: what})
	}
	return nil
}

// rewrittenByReference tells what the suite rewrites with the reference fix. It is asked
// for where work rewrites something alone, which hardly any does, and kept.
func (r *run) rewrittenByReference(ctx context.Context) ([]Rewritten, error) {
	if r.names != nil || len(r.files) > 0 { // other tests than those that were kept
		return r.lookAtReference(ctx)
	}
	key := fmt.Sprintf("%s\x00%s\x00%d\x00%s", r.Sample.Dataset, r.Sample.ID, r.Sample.Version, r.Sample.Task.ImageFor(r.Sample.Dataset, r.Sample.ID))
	r.mu.Lock()
	found, known := r.rewrites[key]
	r.mu.Unlock()
	if known {
		return found, nil
	}
	found, err := r.lookAtReference(ctx)
	if err != nil {
		return nil, err
	}
	const enough = 1000
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rewrites) >= enough {
		clear(r.rewrites)
	}
	r.rewrites[key] = found
	return found, nil
}

func (r *run) lookAtReference(ctx context.Context) (found []Rewritten, err error) {
	of := r.another(lookSuffix, PatchWork(r.Sample, r.Sample.ReferencePatch()))
	of.names, of.files = r.names, r.files
	err = of.inCleanSandbox(ctx, func(env *environment, _ assay.Durations) error {
		if _, err := r.runSuite(ctx, env, suiteTimeout(r.Sample)); err != nil {
			return err
		}
		found = env.written
		return r.hostFault(ctx, env.box)
	})
	return found, err
}

// isLaid notes files that the judge lays: nobody else is to write to them.
func (env *environment) isLaid(names ...string) {
	if env.laid == nil {
		env.laid = make(map[string]bool)
	}
	for _, name := range names {
		env.laid[name] = true
	}
}
