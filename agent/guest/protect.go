package guest

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// walk calls fn for everything below a directory and, as ".", for itself. It follows no
// link, and stays inside whatever happens meanwhile.
func walk(dir string, fn func(root *os.Root, name string, info fs.FileInfo) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	visited := 0
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if visited++; visited > wire.MaxListed+1 {
			return fmt.Errorf("%w: more than %d files", sandbox.ErrTooLarge, wire.MaxListed)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return fn(root, name, info)
	})
}

// Modes of a protected tree.
const (
	openDir   = fs.ModeSticky | 0o777 // everybody adds, only owners remove
	hiddenDir = 0o700
	readable  = 0o444
	runnable  = 0o111
	foreign   = 0o022 // writing by others than the owner
)

// protectTree readies a tree for a user who may add to it and change nothing of it;
// sandbox.ProtectRequest says how it is afterwards. No command of that user may run
// meanwhile.
func protectTree(req sandbox.ProtectRequest) error {
	return walk(req.Root, func(root *os.Root, name string, info fs.FileInfo) error {
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("stat of %T", info.Sys())
		}
		if st.Uid == req.UID {
			if err := root.Lchown(name, 0, 0); err != nil {
				return err
			}
		}
		switch {
		case info.IsDir() && path.Dir(name) == "." && slices.Contains(req.Hidden, name):
			if err := chmod(root, name, info, hiddenDir); err != nil {
				return err
			}
			return fs.SkipDir
		case info.IsDir():
			return chmod(root, name, info, openDir)
		case info.Mode().IsRegular():
			mode := info.Mode().Perm()&^foreign | readable
			if mode&0o100 != 0 {
				mode |= runnable
			}
			return chmod(root, name, info, mode)
		}
		return nil
	})
}

// chmod changes a mode that is another: each change copies a file of the image.
func chmod(root *os.Root, name string, info fs.FileInfo, mode fs.FileMode) error {
	const all = fs.ModeSticky | fs.ModeSetuid | fs.ModeSetgid | fs.ModePerm
	if info.Mode()&all == mode {
		return nil
	}
	return root.Chmod(name, mode)
}
