package evaluate

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"assay"
	"assay/internal/steering"
	"assay/internal/worktree"
)

// Bounds of what is looked at for the report of tampering, for each fate that changes may
// have. What lies beyond them is ruled upon by its name, and by whether it changed at all.
const (
	maxLookedAt      = 1000     // files whose content is compared with the image's
	maxLookedAtBytes = 32 << 20 // of their contents together
	maxLookedAtFile  = 1 << 20
)

// changeFilter decides what of the work reaches the clean sandbox: nothing of the
// repository's own data, nothing that leads out of the tree, no test and nothing that
// steers a test runner. It reads the base tree, and changes nothing.
type changeFilter struct {
	tree    *baseTree
	guard   *steering.Guard
	fixed   func(ctx context.Context, name string) ([]byte, error) // a file as the reference fix leaves it
	entries []worktree.Entry
	content map[string][]byte  // of changed files that are looked at
	digests map[string]digest  // of all of them
	added   map[content]string // names of files that the image does not have; nil until one is looked for

	brought  map[string]bool // names that the work has something at
	held     map[mark]bool   // entries that stay behind
	gone     []string        // files of the base tree that go although the directory they are in stays
	tampered tamperings
}

// mark tells apart the entries of one name.
type mark struct {
	name              string
	deletes, replaces bool
}

func markOf(e worktree.Entry) mark { return mark{e.Name, e.Deletes, e.Replaces} }

// read takes in the entries of the work.
func (t *changeFilter) read(layer io.Reader) error {
	t.content, t.digests, t.brought, t.held = make(map[string][]byte), make(map[string]digest), make(map[string]bool), make(map[mark]bool)
	kept := map[steering.Fate]*budget{} // for what is compared, one of its own: no number of other files may use it up
	for _, fate := range []steering.Fate{steering.Travels, steering.Restored, steering.Compared} {
		kept[fate] = &budget{files: maxLookedAt, bytes: maxLookedAtBytes}
	}
	return worktree.Scan(layer, func(e worktree.Entry, content io.Reader) error {
		t.entries = append(t.entries, e)
		if e.Deletes || e.Replaces {
			return nil
		}
		t.brought[e.Name] = true
		if e.Type != tar.TypeReg {
			return nil
		}
		sum := sha256.New()
		content = io.TeeReader(content, sum)
		if t.looksAt(e) && kept[t.guard.Rule(e.Name).Fate].take(e.Size) {
			text, err := io.ReadAll(content)
			if err != nil {
				return err
			}
			t.content[e.Name] = text
		} else if _, err := io.Copy(io.Discard, content); err != nil {
			return err
		}
		t.digests[e.Name] = digest(sum.Sum(nil))
		return nil
	})
}

// looksAt tells whether what a file holds decides anything. What stays behind whatever it
// holds does not, but for the settings of a repository.
func (t *changeFilter) looksAt(e worktree.Entry) bool {
	if inRepository(e.Name) {
		return e.Size <= maxLookedAtFile && isSetting(e.Name)
	}
	return e.Size <= maxLookedAtFile && t.guard.Rule(e.Name).Fate != steering.Restored
}

// decide rules on every entry.
func (t *changeFilter) decide(ctx context.Context) error {
	for _, e := range t.entries {
		var err error
		switch {
		case inRepository(e.Name):
			err = t.repository(ctx, e)
		case e.Deletes:
			err = t.deletes(ctx, e)
		case e.Replaces:
			err = t.replaces(ctx, e)
		case e.Type == tar.TypeDir:
			err = t.directory(ctx, e)
		default:
			err = t.file(ctx, e)
		}
		if err != nil {
			return fmt.Errorf("rule on %s: %w", e.Name, err)
		}
	}
	slices.Sort(t.gone)
	t.gone = slices.Compact(t.gone)
	return nil
}

// keeps tells whether an entry reaches the clean sandbox.
func (t *changeFilter) keeps(e worktree.Entry) bool { return !t.held[markOf(e)] }

func (t *changeFilter) hold(e worktree.Entry) { t.held[markOf(e)] = true }

// deletes rules on a whiteout.
func (t *changeFilter) deletes(ctx context.Context, e worktree.Entry) error {
	switch r := t.guard.Rule(e.Name); r.Fate {
	case steering.Restored:
		t.hold(e)
		return t.tellRemoved(ctx, e.Name, r)
	case steering.Compared:
		return t.compare(ctx, e, r)
	}
	directory, err := t.tree.isDirectory(ctx, e.Name)
	if err != nil || !directory {
		return err
	}
	return t.expand(ctx, e)
}

// replaces rules on a directory that hides what the image has in it. The root is
// never emptied, for the repository's data.
func (t *changeFilter) replaces(ctx context.Context, e worktree.Entry) error {
	if e.Name != "." && t.guard.Rule(e.Name).Fate == steering.Restored {
		t.hold(e)
	}
	return t.expand(ctx, e)
}

// expand lets go of what a directory held file by file, where something in it stays.
func (t *changeFilter) expand(ctx context.Context, e worktree.Entry) error {
	free, restored, err := t.below(ctx, e.Name)
	if err != nil || len(restored) == 0 && e.Name != "." {
		return err
	}
	t.hold(e)
	for _, name := range free {
		if !t.brought[name] {
			t.gone = append(t.gone, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(restored)) {
		if !t.brought[name] {
			if err := t.tellRemoved(ctx, name, restored[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// below returns the files that the image has below a directory: those that may go, and
// those that stay.
func (t *changeFilter) below(ctx context.Context, dir string) (free []string, restored map[string]steering.Ruling, err error) {
	names, err := t.tree.below(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	restored = make(map[string]steering.Ruling)
	for _, name := range names {
		if inRepository(name) {
			continue
		}
		if r := t.guard.Rule(name); r.Fate == steering.Travels {
			free = append(free, name)
		} else {
			restored[name] = r
		}
	}
	return free, restored, nil
}

// directory rules on a directory, whose mode is all that it brings.
func (t *changeFilter) directory(ctx context.Context, e worktree.Entry) error {
	if e.Name == "." {
		return nil
	}
	r := t.guard.Rule(e.Name)
	if r.Fate == steering.Travels {
		return nil
	}
	t.hold(e)
	there, err := t.tree.has(ctx, e.Name)
	if err != nil || !there {
		return err
	}
	directory, err := t.tree.isDirectory(ctx, e.Name)
	if err == nil && !directory {
		t.tampered.add(r, e.Name, "became a directory, and is restored: "+r.Why)
	}
	return err
}

// file rules on a regular file or a symbolic link.
func (t *changeFilter) file(ctx context.Context, e worktree.Entry) error {
	r := t.guard.Rule(e.Name)
	if e.Type == tar.TypeSymlink {
		r = t.guard.RuleLink(e.Name, e.Target)
	}
	if r.Fate == steering.Restored {
		t.hold(e)
		return t.tellChanged(ctx, e, r)
	}
	over, err := t.tree.isDirectory(ctx, e.Name)
	if err != nil {
		return err
	}
	if over {
		if _, restored, err := t.below(ctx, e.Name); err != nil || len(restored) > 0 {
			t.hold(e)
			t.tampered.add(steering.Ruling{Kind: steering.KindTest}, e.Name, fmt.Sprintf("stands where the image has a directory with %d files that are restored; it does not reach the verification", len(restored)))
			return err
		}
	}
	if r.Fate == steering.Compared {
		return t.compare(ctx, e, r)
	}
	return t.suspect(ctx, e)
}

// compare lets a file through whose steering part is as the image has it or, where the
// reference fix touches the file, as the fix leaves it.
func (t *changeFilter) compare(ctx context.Context, e worktree.Entry, r steering.Ruling) error {
	changed, looked := t.content[e.Name] // nil when it was removed
	before, err := t.tree.read(ctx, e.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if unchanged, err := t.unchanged(ctx, e); err != nil || unchanged {
		return err
	}
	same, difference := false, "it is too large to be compared"
	if looked || e.Deletes {
		same, difference = t.guard.Compare(e.Name, before, changed)
	}
	than := "before"
	if !same && r.Reference && (looked || e.Deletes) {
		fixed, err := t.fixed(ctx, e.Name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		than = "before, and than the reference fix does"
		same, difference = t.guard.Compare(e.Name, fixed, changed)
	}
	switch {
	case !same:
		t.hold(e)
		t.tampered.add(r, e.Name, "steers the tests otherwise than "+than+", and is restored: "+difference)
	case !e.Deletes && !r.Reference:
		return t.suspect(ctx, e)
	}
	return nil
}

// suspect looks for code that reaches for the runner that judges it.
func (t *changeFilter) suspect(ctx context.Context, e worktree.Entry) error {
	changed, looked := t.content[e.Name]
	if !looked {
		return nil
	}
	before, err := t.tree.read(ctx, e.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, s := range t.guard.Suspicions(e.Name, addedLines(before, changed)) {
		t.tampered.add(steering.Ruling{Kind: string(assay.TamperingCode)}, e.Name, fmt.Sprintf("line %d: %s", s.Line, s.Why))
	}
	return nil
}

// addedLines returns the lines of a file that it did not have before, at any place.
func addedLines(before, changed []byte) []steering.Line {
	had := make(map[string]int)
	for line := range strings.SplitSeq(string(before), "\n") {
		had[line]++
	}
	var added []steering.Line
	n := 0
	for line := range strings.SplitSeq(string(changed), "\n") {
		n++
		if had[line]--; had[line] < 0 {
			added = append(added, steering.Line{Number: n, Text: line})
		}
	}
	return added
}
