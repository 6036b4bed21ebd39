package testreport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// jsonReader walks through a JSON document, value by value. Unlike json.Unmarshal it
// holds no value whole, tells the case of keys, and refuses keys that stand in an
// object twice: one reader takes the first of them and another the last.
type jsonReader struct {
	dec      *json.Decoder
	maxDepth int
	depth    int
}

// jsonFields are the keys of an object that are read, each with what reads its value.
type jsonFields map[string]func() error

// readJSON reads a document of one value, which root reads.
func readJSON(r io.Reader, limits Limits, root func(*jsonReader) error) error {
	j := &jsonReader{dec: json.NewDecoder(r), maxDepth: limits.MaxDepth}
	j.dec.UseNumber()
	err := root(j)
	if err == nil {
		if _, err = j.dec.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil || isSyntax(err) {
			err = fmt.Errorf("%w: it goes on after its end", ErrAmbiguous)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ErrTruncated
	}
	return fmt.Errorf("at byte %d: %w", j.dec.InputOffset(), err)
}

func isSyntax(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax)
}

// open reads the delimiter that begins an object or an array. It tells false, and
// reads the value, if that is null.
func (j *jsonReader) open(want json.Delim, what string) (bool, error) {
	tok, err := j.dec.Token()
	switch {
	case err != nil:
		return false, err
	case tok == nil:
		return false, nil
	case tok != want:
		return false, fmt.Errorf("a value that is no %s", what)
	}
	if j.depth++; j.depth > j.maxDepth {
		return false, fmt.Errorf("values are nested deeper than %d", j.maxDepth)
	}
	return true, nil
}

func (j *jsonReader) close() error {
	j.depth--
	_, err := j.dec.Token()
	return err
}

// object reads an object, or null, which has no keys. Other reads the values of keys
// that fields does not have.
func (j *jsonReader) object(fields jsonFields, other func(key string) error) error {
	there, err := j.open('{', "object")
	if err != nil || !there {
		return err
	}
	seen := make(map[string]bool, len(fields))
	for j.dec.More() {
		tok, err := j.dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string) // the decoder lets no other key pass
		read, known := fields[key]
		if !known {
			if err := other(key); err != nil {
				return err
			}
			continue
		}
		if seen[key] {
			return fmt.Errorf("%w: key %q stands in an object twice", ErrAmbiguous, key)
		}
		seen[key] = true
		if err := read(); err != nil {
			return err
		}
	}
	return j.close()
}

// array reads an array and tells whether it is one; null is none.
func (j *jsonReader) array(each func() error) (there bool, err error) {
	if there, err = j.open('[', "array"); err != nil || !there {
		return false, err
	}
	for j.dec.More() {
		if err := each(); err != nil {
			return true, err
		}
	}
	return true, j.close()
}

// skip reads any value.
func (j *jsonReader) skip(string) error {
	for open := 0; ; {
		tok, err := j.dec.Token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
		if j.depth+open > j.maxDepth {
			return fmt.Errorf("values are nested deeper than %d", j.maxDepth)
		}
		if open == 0 {
			return nil
		}
	}
}

// refuse is for keys that must not be there.
func (j *jsonReader) refuse(key string) error {
	return fmt.Errorf("key %q is not known", clip(key, 100))
}

// scalar reads a string, a number or a boolean into the value that into points to.
func scalar[T string | bool | json.Number](j *jsonReader, into *T) func() error {
	return func() error {
		tok, err := j.dec.Token()
		if err != nil {
			return err
		}
		value, ok := tok.(T)
		if !ok {
			return fmt.Errorf("a value that is no %s", strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", *into), "json.")))
		}
		*into = value
		return nil
	}
}
