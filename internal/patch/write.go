package patch

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // the name that git gives to content, no protection
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// maxTextFile is the size up to which a file is compared line by line, in bytes.
const maxTextFile = 16 << 20

// Version is a file before or after a change.
type Version struct {
	Mode fs.FileMode // ModeSymlink, or permissions, of which git keeps whether the owner may execute
	Size int64       // bytes; of a symbolic link, of its target
	Open func() (io.ReadCloser, error)
}

// WriteDiff writes what becomes of the file at path as git diff --binary --full-index
// does, so that git apply takes it: nothing, when the versions are the same to git. A nil
// version is no file. A file that becomes a link, or the other way round, is deleted and
// created.
//
// Text is compared line by line in O(n log n) (rogpeppe/go-internal/diff). What is no
// text, or is larger than 16 MiB, is replaced as a whole; such a part has no way back
// (git apply --reverse). Of a version that goes, only the name of its content is told
// then, so that it may be of any size; one of more than MaxFile bytes that comes is an
// error that wraps ErrTooLarge.
func WriteDiff(w io.Writer, path string, before, after *Version) error {
	err := checkPath(path)
	if err == nil && path == "" {
		err = errors.New("a change without a path")
	}
	if err == nil && before != nil && after != nil && before.Mode.Type() != after.Mode.Type() {
		if err = writeDiff(w, path, before, nil); err == nil {
			err = writeDiff(w, path, nil, after)
		}
	} else if err == nil {
		err = writeDiff(w, path, before, after)
	}
	if err != nil {
		return fmt.Errorf("write the diff of %q: %w", clipPath(path), err)
	}
	return nil
}

// ErrTooLarge says that a file is too large for a patch.
var ErrTooLarge = errors.New("too large")

func writeDiff(w io.Writer, path string, before, after *Version) error {
	if before == nil && after == nil {
		return nil
	}
	c := &rewrite{path: path, before: side{version: before}, after: side{version: after}}
	if err := c.read(); err != nil {
		return err
	}
	return c.write(w)
}

// rewrite is what becomes of one file, its type apart.
type rewrite struct {
	path          string
	before, after side
	binary        bool
}

// side is one version of it, as far as it was read.
type side struct {
	version *Version
	content []byte // nil when it need not be known
	object  string // git's name of the content
}

// noObject is git's name for no file.
const noObject = "0000000000000000000000000000000000000000"

func (c *rewrite) read() error {
	c.binary = c.before.size() > maxTextFile || c.after.size() > maxTextFile
	if c.after.size() > MaxFile {
		return fmt.Errorf("it has %d bytes, more than %d: %w", c.after.size(), MaxFile, ErrTooLarge)
	}
	if err := c.after.read(true); err != nil {
		return err
	}
	if err := c.before.read(!c.binary); err != nil {
		return err
	}
	c.binary = c.binary || slices.Contains(c.before.content, 0) || slices.Contains(c.after.content, 0)
	return nil
}

func (s *side) size() int64 {
	if s.version == nil {
		return 0
	}
	return s.version.Size
}

// read names the content, and keeps it if asked to.
func (s *side) read(keep bool) (err error) {
	s.object = noObject
	if s.version == nil {
		return nil
	}
	r, err := s.version.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	name := sha1.New() //nolint:gosec // see above
	fmt.Fprintf(name, "blob %d\x00", s.version.Size)
	var into io.Writer = name
	kept := &bytes.Buffer{}
	if keep {
		kept.Grow(int(s.version.Size))
		into = io.MultiWriter(name, kept)
	}
	n, err := io.Copy(into, io.LimitReader(r, s.version.Size))
	if err == nil && n != s.version.Size {
		err = fmt.Errorf("it has %d bytes instead of %d: %w", n, s.version.Size, io.ErrUnexpectedEOF)
	}
	s.content, s.object = kept.Bytes(), hex.EncodeToString(name.Sum(nil))
	return err
}

// gitMode is the mode of a version as git knows it (gitformat-index).
func (s *side) gitMode() string {
	switch mode := s.version.Mode; {
	case mode.Type() == fs.ModeSymlink:
		return "120000"
	case mode&0o100 != 0:
		return "100755"
	}
	return "100644"
}

func (c *rewrite) write(w io.Writer) error {
	same := c.before.object == c.after.object
	both := c.before.version != nil && c.after.version != nil
	if both && same && c.before.gitMode() == c.after.gitMode() {
		return nil
	}
	var head strings.Builder
	fmt.Fprintf(&head, "diff --git %s %s\n", quote("a/"+c.path), quote("b/"+c.path))
	unchanged := "" // the mode, where it is
	switch {
	case c.before.version == nil:
		fmt.Fprintf(&head, "new file mode %s\n", c.after.gitMode())
	case c.after.version == nil:
		fmt.Fprintf(&head, "deleted file mode %s\n", c.before.gitMode())
	case c.before.gitMode() != c.after.gitMode():
		fmt.Fprintf(&head, "old mode %s\nnew mode %s\n", c.before.gitMode(), c.after.gitMode())
	default:
		unchanged = " " + c.after.gitMode()
	}
	if !same {
		fmt.Fprintf(&head, "index %s..%s%s\n", c.before.object, c.after.object, unchanged)
	}
	if _, err := io.WriteString(w, head.String()); err != nil || same {
		return err
	}
	if c.binary {
		return writeLiteral(w, c.after.content)
	}
	return c.writeHunks(w)
}

// writeHunks writes the names and the hunks of a text, if it has any: an empty file
// that comes or goes has not.
func (c *rewrite) writeHunks(w io.Writer) error {
	hunks := diff.Diff("", c.before.content, "", c.after.content)
	for range 3 { // the library's own header
		_, hunks, _ = bytes.Cut(hunks, []byte{'\n'})
	}
	if len(hunks) == 0 {
		return nil
	}
	name := func(prefix string, s side) string {
		if s.version == nil {
			return devNull
		}
		name := quote(prefix + c.path)
		if strings.Contains(c.path, " ") {
			name += "\t" // as git does, so that other programs see where the name ends
		}
		return name
	}
	_, err := fmt.Fprintf(w, "--- %s\n+++ %s\n%s", name("a/", c.before), name("b/", c.after), hunks)
	return err
}

// writeLiteral writes a content as a git binary patch (git's diff.c,
// emit_binary_diff_body): deflated, 52 bytes a line in base 85.
func writeLiteral(w io.Writer, content []byte) error {
	var deflated bytes.Buffer
	z := zlib.NewWriter(&deflated)
	if _, err := z.Write(content); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "GIT binary patch\nliteral %d\n", len(content)); err != nil {
		return err
	}
	const perLine = 52
	for data := range slices.Chunk(deflated.Bytes(), perLine) {
		length := byte('A' + len(data) - 1)
		if len(data) > 26 {
			length = byte('a' + len(data) - 27)
		}
		if _, err := w.Write(append(appendBase85([]byte{length}, data), '\n')); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// base85 are git's digits (git's base85.c), which are those of RFC 1924.
const base85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

// appendBase85 appends five digits for each four bytes, the last of which are filled up
// with zeros.
func appendBase85(line, data []byte) []byte {
	for four := range slices.Chunk(data, 4) {
		var word uint32
		for i := range 4 {
			word <<= 8
			if i < len(four) {
				word |= uint32(four[i])
			}
		}
		var digits [5]byte
		for i := range slices.Backward(digits[:]) {
			digits[i] = base85[word%85]
			word /= 85
		}
		line = append(line, digits[:]...)
	}
	return line
}

// quote writes a name as git does (git's quote.c): as it is, or in C's manner when it
// holds what is not printable ASCII.
func quote(name string) string {
	plain := func(b byte) bool { return b >= ' ' && b < 0x7f && b != '"' && b != '\\' }
	odd := false
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(name) {
		at := strings.IndexByte("\a\b\t\n\v\f\r\"\\", name[i])
		switch {
		case plain(name[i]):
			b.WriteByte(name[i])
			continue
		case at >= 0:
			b.WriteByte('\\')
			b.WriteByte(`abtnvfr"\`[at])
		default:
			fmt.Fprintf(&b, "\\%03o", name[i])
		}
		odd = true
	}
	if !odd {
		return name
	}
	return b.String() + `"`
}
