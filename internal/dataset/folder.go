package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"assay"
)

// The files of a dataset folder.
const (
	manifestFile = "dataset.yaml"
	samplesFile  = "samples.jsonl"
)

// Bounds of what is read.
const (
	maxManifestBytes = 1 << 20
	maxLineBytes     = 64 << 20
	maxSamplesBytes  = 4 << 30
	maxSamples       = 200_000
)

// Folder is a dataset as it stands in its folder, checked.
type Folder struct {
	Dataset *assay.Dataset
	Samples []*assay.Sample // in the order of the file
}

// ReadFolder reads a dataset folder; docs/dataset-format.md defines it. No link leads
// out of the folder. The error is a *FaultsError, with all that is wrong, when the
// files can be read but do not hold a dataset.
func ReadFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open dataset folder: %w", err)
	}
	defer root.Close()

	schemas, err := loadSchemas()
	if err != nil {
		return nil, fmt.Errorf("compile the dataset schemas: %w", err)
	}
	faults := &FaultsError{Dir: dir}
	head, err := readManifest(root, schemas.dataset, faults)
	if err != nil {
		return nil, err
	}
	if err := faults.orNil(); err != nil {
		return nil, err // the samples cannot be told right from wrong without their defaults
	}
	rd := &sampleReader{schema: schemas.sample, head: head, faults: faults, lines: map[string]int{}}
	if err := rd.readFile(root); err != nil {
		return nil, err
	}
	if len(rd.samples) == 0 && len(faults.Faults) == 0 {
		faults.add(Fault{File: samplesFile, Message: "holds no sample"})
	}
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	return &Folder{
		Dataset: &assay.Dataset{Name: head.name, Description: head.description, SampleCount: len(rd.samples), Answers: head.answers, Judging: head.judging},
		Samples: rd.samples,
	}, nil
}

// openRegular opens a regular file of the folder. A FIFO does not block it, and is
// refused.
func openRegular(root *os.Root, name string, limit int64) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read dataset folder: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = fmt.Errorf("read dataset folder: %w", err)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("read dataset folder: %s is not a regular file", name)
	case info.Size() > limit:
		err = fmt.Errorf("read dataset folder: %s has %d bytes; at most %d are read", name, info.Size(), limit)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// utf8BOM is what some editors put in front of UTF-8.
var utf8BOM = []byte("\xef\xbb\xbf")

// eachLine calls fn for each line of r that is not blank, without its line end. The
// slice is valid during the call.
func eachLine(r io.Reader, fn func(n int, line []byte) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), maxLineBytes+2) // and its line end
	n := 0
	for sc.Scan() {
		n++
		line := sc.Bytes()
		if n == 1 {
			line = bytes.TrimPrefix(line, utf8BOM)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := fn(n, line); err != nil {
			return err
		}
	}
	if errors.Is(sc.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%s:%d: the line is longer than %d MiB", samplesFile, n+1, maxLineBytes>>20)
	}
	if sc.Err() != nil {
		return fmt.Errorf("%s:%d: %w", samplesFile, n+1, sc.Err())
	}
	return nil
}
