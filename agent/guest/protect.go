package guest

import (
	"io/fs"
	"path"
	"slices"

	"assay/internal/sandbox"
)

// Modes of a protected tree.
const (
	openDir   = fs.ModeSticky | 0o777 // everybody adds, only owners remove
	hiddenDir = 0o700
	readable  = 0o444
	runnable  = 0o111
	foreign   = 0o022 // writing by others than the owner
)

// protectHelpers read a tree that is protected beside the first: what takes time is the
// kernel, which makes an inode for each file that is looked at.
const protectHelpers = 3

// protectTree readies a tree for a user who may add to it and change nothing of it;
// sandbox.ProtectRequest says how it is afterwards. No command of that user may run
// meanwhile.
func protectTree(req sandbox.ProtectRequest) error {
	return walk(req.Root, protectHelpers, func(n *node) error {
		if n.uid == req.UID {
			if err := n.chown(0, 0); err != nil {
				return err
			}
		}
		switch {
		case n.mode.IsDir() && path.Dir(n.name) == "." && slices.Contains(req.Hidden, n.name):
			if err := n.setMode(hiddenDir); err != nil {
				return err
			}
			return fs.SkipDir
		case n.mode.IsDir():
			return n.setMode(openDir)
		case n.mode.IsRegular():
			mode := n.mode.Perm()&^foreign | readable
			if mode&0o100 != 0 {
				mode |= runnable
			}
			return n.setMode(mode)
		}
		return nil
	})
}

// setMode changes a mode that is another: each change copies a file of the image.
func (n *node) setMode(mode fs.FileMode) error {
	const all = fs.ModeSticky | fs.ModeSetuid | fs.ModeSetgid | fs.ModePerm
	if n.mode&all == mode {
		return nil
	}
	return n.chmod(mode)
}
