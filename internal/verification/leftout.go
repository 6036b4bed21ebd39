package verification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"assay"
	"assay/internal/patch"
	"assay/internal/sandbox"
	"assay/internal/worktree"
)

// maxLeftOut bounds the names that are told of what was left out.
const maxLeftOut = 100

// errManyIgnored ends a snapshot that has more ignored files than it may.
var errManyIgnored = errors.New("many files are ignored")

// snapshot writes the changes of a session to f, which is empty, and returns the names of
// what was left out of them. Most works are small: they are taken at once, and only of
// others is asked what the image ignores. Its errors, and the session with them, are those
// of Snapshot.
func (s *Service) snapshot(ctx context.Context, userID, sessionID string, f *os.File) (*assay.Session, []string, error) {
	limits := s.cfg.Changes
	if s.cfg.Images == nil {
		sess, err := s.cfg.Sessions.Snapshot(ctx, userID, sessionID, limits, f)
		return sess, nil, err
	}
	few := limits
	few.MaxFiles = min(limits.MaxFiles, assay.MaxIgnored)
	sess, err := s.cfg.Sessions.Snapshot(ctx, userID, sessionID, few, f)
	small := err == nil
	if errors.Is(err, sandbox.ErrTooLarge) {
		sess, err = s.cfg.Sessions.Get(ctx, userID, sessionID)
	}
	if err != nil {
		return sess, nil, err
	}
	sample, err := s.sampleIn(ctx, sess)
	if err != nil {
		return nil, nil, err
	}
	if small && sample.Task.Verifier.Ignored != assay.IgnoredExclude {
		return sess, nil, nil
	}
	return s.snapshotLarge(ctx, sess, sample, f)
}

// snapshotLarge takes changes of which ignored files may be left out. What is as the image
// has it is no change.
func (s *Service) snapshotLarge(ctx context.Context, sess *assay.Session, sample *assay.Sample, f *os.File) (_ *assay.Session, _ []string, err error) {
	tree, free, err := s.cfg.Images.OpenTree(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID), sample.Task.Workdir)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, free()) }()
	out := &leftOut{ignored: worktree.NewIgnored(tree), reference: referencePaths(sample)}
	limits := s.cfg.Changes
	limits.Base = tree
	if sample.Task.Verifier.Ignored == assay.IgnoredInclude {
		again, err := s.snapshotAgain(ctx, sess, limits, f)
		return again, nil, err
	}
	limits.Omit = out
	if sample.Task.Verifier.Ignored != assay.IgnoredExclude {
		again, err := s.snapshotAgain(ctx, sess, limits, f)
		if !errors.Is(err, errManyIgnored) && (!errors.Is(err, sandbox.ErrTooLarge) || out.seen == 0) {
			return again, nil, err
		}
	}
	out.all = true
	again, err := s.snapshotAgain(ctx, sess, limits, f)
	return again, out.told(), err
}

// snapshotAgain takes changes anew, over what f holds.
func (s *Service) snapshotAgain(ctx context.Context, sess *assay.Session, limits sandbox.ChangeLimits, f *os.File) (*assay.Session, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if err := f.Truncate(0); err != nil {
		return nil, err
	}
	return s.cfg.Sessions.Snapshot(ctx, sess.UserID, sess.ID, limits, f)
}

// referencePaths are those that the reference fix touches. A patch that cannot be read
// is found when it is needed.
func referencePaths(sample *assay.Sample) (names []string) {
	for _, text := range []string{sample.Patch, sample.NonCodePatch} {
		if set, err := patch.Parse(text); err == nil {
			names = append(names, set.Paths()...)
		}
	}
	return names
}

// repository leaves out of a work what a repository keeps for itself: objects, logs and the
// like never reach a verification, and must not make a work too large for one. What stays is
// what tells of programs that git runs.
type repository struct{}

// Omits implements sandbox.Omitter.
func (repository) Omits(name string, _ bool) (bool, error) { return ofRepository(name), nil }

func ofRepository(name string) bool {
	parts := strings.Split(name, "/")
	i := slices.IndexFunc(parts, func(part string) bool { return strings.EqualFold(part, ".git") })
	if i < 0 || i+1 == len(parts) {
		return false
	}
	switch below := parts[i+1:]; below[0] {
	case "config", "hooks", "info":
		return false
	case "modules", "worktrees": // repositories themselves
		return slices.Contains(below, "objects") || slices.Contains(below, "lfs") || slices.Contains(below, "logs")
	}
	return true
}

// leftOut leaves out of a work what the image's own .gitignore files ignore, unless the image
// has it or the reference fix touches it. Until it is to leave out all, it counts.
type leftOut struct {
	ignored   *worktree.Ignored
	reference []string

	all   bool
	seen  int // ignored files and directories, of which the last may hold more than was looked at
	names []string
	more  int
}

// Omits implements sandbox.Omitter.
func (l *leftOut) Omits(name string, directory bool) (bool, error) {
	if ofRepository(name) {
		return true, nil
	}
	ignored, err := l.ignored.Ignores(name, directory)
	if err != nil || !ignored {
		return false, err
	}
	for _, touched := range l.reference {
		if worktree.Within(touched, name) {
			return false, nil
		}
	}
	if has, err := l.ignored.Has(name); err != nil || has {
		return false, err
	}
	if !l.all {
		if l.seen++; l.seen > assay.MaxIgnored {
			return false, errManyIgnored
		}
		return false, nil
	}
	if directory {
		name += "/"
	}
	if len(l.names) < maxLeftOut {
		l.names = append(l.names, strings.ToValidUTF8(name, "\ufffd"))
	} else {
		l.more++
	}
	return true, nil
}

// told are the names for people.
func (l *leftOut) told() []string {
	if l.more > 0 {
		return append(l.names, fmt.Sprintf("and %d more", l.more))
	}
	return l.names
}

// saveLeftOut stores what was left out of the changes of a verification, beside them.
func (s *Service) saveLeftOut(id string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return s.dir.WriteFile(leftOutName(id), text, 0o600)
}

// tellLeftOut adds to a verdict what was left out of the work.
func (s *Service) tellLeftOut(id string, verdict *assay.Verdict) error {
	verdict.Evidence.LeftOut = nil // of whose verdict was used again
	text, err := s.dir.ReadFile(leftOutName(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what was left out of verification %s: %w", id, err)
	}
	return json.Unmarshal(text, &verdict.Evidence.LeftOut)
}

func leftOutName(id string) string { return id + ".left-out.json" }
