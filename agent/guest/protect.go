package guest

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"assay/internal/sandbox"
)

// maxProtected bounds the entries of a tree that is protected.
const maxProtected = 1 << 20

// Modes of a protected tree.
const (
	openDir   = fs.ModeSticky | 0o777 // everybody adds, only owners remove
	hiddenDir = 0o700
	readable  = 0o444
	runnable  = 0o111
)

// protectTree readies a tree for a user who may add to it and change nothing of it;
// sandbox.ProtectRequest says how it is afterwards. No command of that user may run
// meanwhile.
func protectTree(req sandbox.ProtectRequest) error {
	root, err := os.OpenRoot(req.Root)
	if err != nil {
		return err
	}
	defer root.Close()
	p := protector{root: root, uid: req.UID, hidden: req.Hidden}
	return fs.WalkDir(root.FS(), ".", p.visit)
}

type protector struct {
	root    *os.Root
	uid     uint32
	hidden  []string
	visited int
}

func (p *protector) visit(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if p.visited++; p.visited > maxProtected {
		return fmt.Errorf("%w: more than %d files", sandbox.ErrTooLarge, maxProtected)
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("stat of %T", info.Sys())
	}
	if st.Uid == p.uid {
		if err := p.root.Lchown(name, 0, 0); err != nil {
			return err
		}
	}
	switch {
	case d.IsDir() && path.Dir(name) == "." && slices.Contains(p.hidden, name):
		if err := p.chmod(name, info, hiddenDir); err != nil {
			return err
		}
		return fs.SkipDir
	case d.IsDir():
		return p.chmod(name, info, openDir)
	case info.Mode().IsRegular():
		mode := info.Mode().Perm()&^0o022 | readable
		if mode&0o100 != 0 {
			mode |= runnable
		}
		return p.chmod(name, info, mode)
	}
	return nil
}

// chmod changes a mode that is another: each change copies a file of the image.
func (p *protector) chmod(name string, info fs.FileInfo, mode fs.FileMode) error {
	const all = fs.ModeSticky | fs.ModeSetuid | fs.ModeSetgid | fs.ModePerm
	if info.Mode()&all == mode {
		return nil
	}
	return p.root.Chmod(name, mode)
}
