package foreign

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// utf8BOM is what some editors put in front of UTF-8.
var utf8BOM = []byte("\xef\xbb\xbf")

// eachJSONLine reads a row a line. Blank lines are let pass.
func eachJSONLine(r io.Reader, fn rowFunc) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), maxRowBytes+2) // and its line end
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
		row, faults := decodeRow(line)
		if err := fn(n, row, faults); err != nil {
			return err
		}
	}
	if errors.Is(sc.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d MiB", n+1, maxRowBytes>>20)
	}
	return sc.Err()
}

// eachJSONValue reads rows that are the elements of a list, or that follow each other.
func eachJSONValue(r io.Reader, fn rowFunc) error {
	br := bufio.NewReader(r)
	if mark, err := br.Peek(len(utf8BOM)); err == nil && bytes.Equal(mark, utf8BOM) {
		if _, err := br.Discard(len(utf8BOM)); err != nil {
			return err
		}
	}
	bounded := &rowBound{r: br}
	dec := json.NewDecoder(bounded)
	list, err := beginsList(br)
	if err != nil {
		return err
	}
	if list {
		if _, err := dec.Token(); err != nil {
			return err
		}
	}
	for n := 1; ; n++ {
		bounded.left = maxRowBytes
		if list && !dec.More() {
			_, err := dec.Token() // the end of the list
			return err
		}
		var text json.RawMessage
		if err := dec.Decode(&text); errors.Is(err, io.EOF) && !list {
			return nil
		} else if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
		row, faults := decodeRow(text)
		if err := fn(n, row, faults); err != nil {
			return err
		}
	}
}

// beginsList tells whether the first value is a list, and leaves it there.
func beginsList(br *bufio.Reader) (bool, error) {
	for {
		c, err := br.ReadByte()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c == '[', br.UnreadByte()
		}
	}
}

// rowBound fails when a row is larger than what is left.
type rowBound struct {
	r    io.Reader
	left int
}

func (b *rowBound) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("it is larger than %d MiB", maxRowBytes>>20)
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}

// decodeRow decodes a row. Bytes that are not UTF-8 are refused: Go's decoder would
// replace them in silence, and a patch would no longer apply.
func decodeRow(text []byte) (map[string]any, []Fault) {
	if !utf8.Valid(text) {
		return nil, []Fault{{Message: "it is not UTF-8"}}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var row map[string]any
	if err := dec.Decode(&row); err != nil {
		return nil, []Fault{{Message: "not an object in JSON: " + err.Error()}}
	}
	if row == nil {
		return nil, []Fault{{Message: "is null"}}
	}
	if len(bytes.TrimSpace(text[dec.InputOffset():])) > 0 {
		return nil, []Fault{{Message: "something follows the row"}}
	}
	return row, nil
}

// parquetBatch is how many rows are held at a time.
const parquetBatch = 16

// eachParquetRow reads the rows of a Parquet file.
func eachParquetRow(f *os.File, fn rowFunc) (err error) {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var rows *parquet.GenericReader[any]
	err = guarded(func() error {
		file, err := parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		if err == nil {
			rows = parquet.NewGenericReader[any](file)
		}
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for n := 0; ; {
		batch := make([]any, parquetBatch)
		got := 0
		readErr := guarded(func() (err error) {
			got, err = rows.Read(batch)
			return err
		})
		for _, v := range batch[:got] {
			n++
			row, ok := v.(map[string]any)
			if !ok {
				return fmt.Errorf("row %d is no row", n)
			}
			if err := fn(n, row, invalidColumns(row)); err != nil {
				return err
			}
		}
		if errors.Is(readErr, io.EOF) && int64(n) == rows.NumRows() {
			return nil
		}
		if errors.Is(readErr, io.EOF) || readErr == nil && got == 0 {
			return fmt.Errorf("it ends after row %d of %d", n, rows.NumRows())
		}
		if readErr != nil {
			return fmt.Errorf("row %d: %w", n+1, readErr)
		}
	}
}

// guarded calls the library, which panics at some files that are not what they say.
func guarded(read func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the Parquet file is damaged: %v", v)
		}
	}()
	return read()
}

// invalidColumns tells of columns that hold bytes that are not UTF-8.
func invalidColumns(row map[string]any) []Fault {
	var faults []Fault
	for _, name := range sortedKeys(row) {
		if text, ok := row[name].(string); ok && !utf8.ValidString(text) {
			faults = append(faults, Fault{name, "it is not UTF-8"})
		}
	}
	return faults
}
