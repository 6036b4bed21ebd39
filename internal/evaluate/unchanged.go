package evaluate

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/steering"
	"assay/internal/worktree"
)

// maxUnchanged bounds a file of the image that is read to see whether it has changed, in bytes.
const maxUnchanged = 64 << 20

// digest is a SHA-256.
type digest [sha256.Size]byte

// budget is what of files may still be kept.
type budget struct{ files, bytes int64 }

func (b *budget) take(size int64) bool {
	if b.files == 0 || size > b.bytes {
		return false
	}
	b.files, b.bytes = b.files-1, b.bytes-size
	return true
}

// unchanged tells whether a file holds what the image's does, byte for byte, or a link leads
// where it led: its owner, its mode and its times are nobody's business.
func (t *changeFilter) unchanged(ctx context.Context, e worktree.Entry) (bool, error) {
	if e.Type == tar.TypeSymlink {
		before, err := t.tree.box.Readlink(ctx, t.tree.root, e.Name)
		if isNoFile(err) {
			return false, nil
		}
		return err == nil && before == e.Target, err
	}
	sum, there := t.digests[e.Name]
	if !there || e.Deletes || e.Size > maxUnchanged {
		return false, nil
	}
	before, err := t.tree.digest(ctx, e.Name, e.Size)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && before == sum, err
}

// digest returns that of a file; fs.ErrNotExist also for what is no regular file, or has
// more than limit bytes.
func (p *baseTree) digest(ctx context.Context, name string, limit int64) (digest, error) {
	content, err := p.readFile(ctx, name, limit)
	if isNoFile(err) || errors.Is(err, sandbox.ErrTooLarge) {
		err = fs.ErrNotExist
	}
	return sha256.Sum256(content), err
}

// tellChanged reports a file or a link that stays behind. A new test is no alarm: whoever
// mends something writes one.
func (t *changeFilter) tellChanged(ctx context.Context, e worktree.Entry, r steering.Ruling) error {
	if r.Kind == "" {
		return nil
	}
	there, err := t.tree.has(ctx, e.Name)
	if err != nil {
		return err
	}
	if !there {
		return t.tellAdded(ctx, e.Name, r)
	}
	same, err := t.unchanged(ctx, e)
	if err == nil && !same {
		t.tampered.add(r, e.Name, "was changed, and is restored: "+r.Why)
	}
	return err
}

// tellAdded reports what is new where the image has nothing: of what is no alarm, only the
// directory that is new as a whole.
func (t *changeFilter) tellAdded(ctx context.Context, name string, r steering.Ruling) error {
	r = added(r)
	for i, c := range name {
		if c != '/' || assay.TamperingKind(r.Kind).Alarm() {
			continue
		}
		there, err := t.tree.has(ctx, name[:i])
		if err != nil {
			return err
		}
		if !there {
			name = name[:i]
			break
		}
	}
	t.tampered.add(r, name, "was added, and stays behind: "+r.Why)
	return nil
}

// added is the ruling on what is new where the image has nothing.
func added(r steering.Ruling) steering.Ruling {
	if r.Kind == steering.KindTest || r.Installed {
		r.Kind = string(assay.TamperingAdded)
	}
	return r
}

// tellRemoved reports a file that stays although it was removed. A test that was moved,
// with all that it says, is no alarm.
func (t *changeFilter) tellRemoved(ctx context.Context, name string, r steering.Ruling) error {
	if r.Kind == "" {
		return nil
	}
	there, err := t.tree.has(ctx, name)
	if err != nil {
		return err
	}
	if !there { // the layer says so of a pipe or socket, too
		t.tampered.add(added(r), name, "is no file, and stays behind: "+r.Why)
		return nil
	}
	if r.Kind == steering.KindTest {
		to, err := t.movedTo(ctx, name)
		if err != nil {
			return err
		}
		if to != "" {
			t.tampered.add(added(r), name, "was moved to "+to+", and is restored: "+r.Why)
			return nil
		}
	}
	t.tampered.add(r, name, "was removed, and is restored: "+r.Why)
	return nil
}

// content is what tells that a file was moved: what it holds, and of an empty one its name.
type content struct {
	sum   digest
	empty string
}

func contentOf(name string, sum digest) content {
	if sum == sha256.Sum256(nil) {
		return content{sum, path.Base(name)}
	}
	return content{sum: sum}
}

// movedTo returns where the work has what a file of the image holds, or all files of a
// directory, if that is a new place; "" if not. Links say nothing, and move with the rest.
func (t *changeFilter) movedTo(ctx context.Context, name string) (string, error) {
	if err := t.findAdded(ctx); err != nil || len(t.added) == 0 {
		return "", err
	}
	directory, err := t.tree.isDirectory(ctx, name)
	if err != nil {
		return "", err
	}
	if !directory {
		return t.fileMovedTo(ctx, name)
	}
	names, err := t.tree.below(ctx, name)
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	to := ""
	for _, file := range names {
		if inRepository(file) || !t.tree.listed[file].IsRegular() {
			continue
		}
		moved, err := t.fileMovedTo(ctx, file)
		if err != nil || moved == "" {
			return "", err
		}
		if dir, ok := strings.CutSuffix(moved, strings.TrimPrefix(file, name)); ok && to == "" {
			to = dir
		} else if to == "" {
			to = path.Dir(moved)
		}
	}
	return to, nil
}

// findAdded gathers the files that the image does not have.
func (t *changeFilter) findAdded(ctx context.Context) error {
	if t.added != nil {
		return nil
	}
	t.added = make(map[content]string)
	for _, e := range t.entries {
		sum, file := t.digests[e.Name]
		if !file || e.Type != tar.TypeReg {
			continue
		}
		there, err := t.tree.has(ctx, e.Name)
		if err != nil {
			return err
		}
		if !there {
			t.added[contentOf(e.Name, sum)] = e.Name
		}
	}
	return nil
}

func (t *changeFilter) fileMovedTo(ctx context.Context, name string) (string, error) {
	before, err := t.tree.digest(ctx, name, maxUnchanged)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return t.added[contentOf(name, before)], err
}
