package foreign

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"assay"
)

// Bounds of what is read.
const (
	maxFileBytes = 4 << 30
	maxRowBytes  = 64 << 20
)

// Source is a dataset of others, on disk. Close it.
type Source struct {
	Format string // as Formats names it

	root    *os.Root
	rows    format
	files   []string // of rows, in their order
	folders []string // of tasks
	task    func(dir fs.FS, name string, c *columns, o Options) *assay.Sample
	options Options
}

// Open finds out what a path holds: a file of rows (.jsonl, .json or .parquet), a
// folder of such files, a task folder, or a folder of task folders. formatName is one
// of Formats, or "" to recognise it. Files that a folder links to outside of itself
// are refused.
func Open(name, formatName string, o Options) (*Source, error) {
	if formatName != "" && !slices.Contains(Formats(), formatName) {
		return nil, fmt.Errorf("format %q is not known: it is one of %s", formatName, strings.Join(Formats(), ", "))
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("open the dataset: %w", err)
	}
	s := &Source{Format: formatName, options: o}
	if info.IsDir() {
		err = s.openFolder(name)
	} else {
		err = s.openFile(name)
	}
	if err == nil && s.task == nil {
		err = s.recogniseRows()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open dataset %s: %w", name, err), s.Close())
	}
	return s, nil
}

// Close releases the folder.
func (s *Source) Close() error {
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}

// isRows tells files of rows by their names.
func isRows(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jsonl", ".json", ".parquet":
		return true
	}
	return false
}

// openFile opens a single file, which may be a link to anywhere: the user named it.
func (s *Source) openFile(name string) (err error) {
	if !isRows(name) {
		return errors.New("rows are read from .jsonl, .json and .parquet files")
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	if isRows(real) {
		name = real
	}
	s.root, err = os.OpenRoot(filepath.Dir(name))
	s.files = []string{filepath.Base(name)}
	return err
}

// taskFiles are the files that tell task folders, with their formats.
var taskFiles = []struct {
	file, format string
	convert      func(dir fs.FS, name string, c *columns, o Options) *assay.Sample
}{
	{"task.toml", harborName, convertHarbor},
	{"task.yaml", terminalBenchName, convertTerminalBench},
}

func (s *Source) openFolder(name string) (err error) {
	if s.root, err = os.OpenRoot(name); err != nil {
		return err
	}
	dir, wanted := s.root.FS(), s.Format
	for _, kind := range taskFiles {
		if wanted != "" && wanted != kind.format {
			continue
		}
		folders, err := foldersWith(dir, kind.file)
		if err != nil {
			return err
		}
		if len(folders) == 0 {
			continue
		}
		if s.task != nil {
			return fmt.Errorf("it holds tasks of several formats: say which with --format: %s, %s", s.Format, kind.format)
		}
		s.Format, s.task, s.folders = kind.format, kind.convert, folders
	}
	if s.task != nil {
		return nil
	}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if isRows(e.Name()) && !e.IsDir() {
			s.files = append(s.files, e.Name())
		}
	}
	if len(s.files) == 0 {
		return errors.New("it holds no dataset.yaml, no .jsonl, .json or .parquet file, and no task folder (task.toml or task.yaml)")
	}
	return nil
}

// foldersWith returns the folders that hold a file: the folder itself, or those in it.
func foldersWith(dir fs.FS, file string) ([]string, error) {
	if _, err := fs.Stat(dir, file); err == nil {
		return []string{"."}, nil
	}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	var folders []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if _, err := fs.Stat(dir, path.Join(e.Name(), file)); err == nil {
			folders = append(folders, e.Name())
		}
	}
	return folders, nil
}

// errEnough ends the reading of a file.
var errEnough = errors.New("enough rows")

// recogniseRows finds the format of the first row, unless the user named it.
func (s *Source) recogniseRows() error {
	if s.Format != "" {
		var ok bool
		if s.rows, ok = formatCalled(s.Format); !ok {
			return fmt.Errorf("it holds no task folder of the format %s", s.Format)
		}
		return nil
	}
	err := s.eachRow(s.files[0], func(_ int, row map[string]any, faults []Fault) error {
		if len(faults) > 0 {
			return fmt.Errorf("%s: the first row is not read: %s", s.files[0], faults[0].Message)
		}
		f, err := recognise(row)
		if err != nil {
			return fmt.Errorf("%s: %w", s.files[0], err)
		}
		s.rows, s.Format = f, f.name
		return errEnough
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return cmp.Or(err, fmt.Errorf("%s holds no row", s.files[0]))
}

// Each reads the dataset once, in the order of its files and rows, and calls fn for
// each row or task folder. An error is about reading, or fn's own.
func (s *Source) Each(fn func(*Record) error) error {
	for _, folder := range s.folders {
		if err := s.eachTask(folder, fn); err != nil {
			return err
		}
	}
	for _, file := range s.files {
		err := s.eachRow(file, func(n int, row map[string]any, faults []Fault) error {
			r := &Record{File: file, Line: n, Faults: faults}
			if len(faults) == 0 {
				c := &columns{row: row, dir: s.root.FS()}
				r.take(s.rows.convert(c, s.options), c)
			}
			return fn(r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) eachTask(folder string, fn func(*Record) error) error {
	dir, err := fs.Sub(s.root.FS(), folder)
	if err != nil {
		return fmt.Errorf("open task %s: %w", folder, err)
	}
	name := folder
	if folder == "." {
		whole, err := filepath.Abs(s.root.Name())
		if err != nil {
			return fmt.Errorf("name task %s: %w", s.root.Name(), err)
		}
		name = filepath.Base(whole)
	}
	c := &columns{}
	r := &Record{File: folder}
	r.take(s.task(dir, name, c, s.options), c)
	return fn(r)
}

// take makes the record that of a sample that c was read for.
func (r *Record) take(sample *assay.Sample, c *columns) {
	r.Faults, r.Unsupported, r.NoCommand, r.Network = c.faults, c.unsupported, c.noCommand, c.network
	r.Steps, r.LaysTests = c.steps, c.laysTests
	if len(r.Faults) == 0 {
		r.Sample = sample
	}
}

// eachRow calls fn for each row of a file, with its line in a .jsonl file, else its
// number. A row that is not read has faults instead.
func (s *Source) eachRow(name string, fn rowFunc) error {
	f, err := s.openRegular(name)
	if err != nil {
		return err
	}
	defer f.Close()
	switch strings.ToLower(path.Ext(name)) {
	case ".parquet":
		err = eachParquetRow(f, fn)
	case ".jsonl":
		err = eachJSONLine(f, fn)
	default:
		err = eachJSONValue(f, fn)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return err
}

// rowFunc is told of a row, by its number from 1, or of what is wrong in it.
type rowFunc func(n int, row map[string]any, faults []Fault) error

// openRegular opens a regular file. A FIFO does not block it, and is refused.
func (s *Source) openRegular(name string) (*os.File, error) {
	f, err := s.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = fmt.Errorf("read dataset: %w", err)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("read dataset: %s is not a regular file", name)
	case info.Size() > maxFileBytes:
		err = fmt.Errorf("read dataset: %s has %d bytes; at most %d are read", name, info.Size(), int64(maxFileBytes))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

var _ io.Closer = (*Source)(nil)
