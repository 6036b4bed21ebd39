package store

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// schema is the migrations of one engine: those in migrations/, whose text serves
// both, and those in migrations/ENGINE/, for what the engines say differently, such
// as triggers. Each has a version of its own, and both engines have the same ones.
type schema struct{ engine string }

func (s schema) folders() []string { return []string{"migrations", path.Join("migrations", s.engine)} }

// Open implements fs.FS.
func (s schema) Open(name string) (fs.File, error) {
	for _, folder := range s.folders() {
		if f, err := migrations.Open(path.Join(folder, name)); err == nil {
			return f, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// newest is the highest version.
func (s schema) newest() int64 {
	entries, err := s.ReadDir(".")
	if err != nil {
		panic(err) // it is in this program
	}
	var newest int64
	for _, e := range entries {
		if v, err := goose.NumericComponent(e.Name()); err == nil {
			newest = max(newest, v)
		}
	}
	return newest
}

// ReadDir implements fs.ReadDirFS; there is but the one directory ".".
func (s schema) ReadDir(string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, folder := range s.folders() {
		entries, err := migrations.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		all = append(all, entries...)
	}
	all = slices.DeleteFunc(all, func(e fs.DirEntry) bool { return e.IsDir() })
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}
