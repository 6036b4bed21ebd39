package patch

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the name that git gives to content, no protection
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// applyBinary applies a git binary patch. Like git, it wants the full object names
// of the file before and after, and checks both.
func applyBinary(f *File, content []byte) ([]byte, error) {
	diff := f.diff
	if f.Withheld() {
		return nil, errors.New("the diff says that a binary file changes, but not how: it was made without --binary")
	}
	if err := checkObject(content, diff.OldOIDPrefix); err != nil {
		return nil, fmt.Errorf("the binary file is not the one that the patch is for: %w", err)
	}
	var out bytes.Buffer
	if err := gitdiff.Apply(&out, bytes.NewReader(content), diff, gitdiff.WithMaxBinaryFragmentBytes(MaxFile)); err != nil {
		return nil, fmt.Errorf("binary patch: %w", err)
	}
	if err := checkObject(out.Bytes(), diff.NewOIDPrefix); err != nil {
		return nil, fmt.Errorf("the binary patch does not make what it says: %w", err)
	}
	return out.Bytes(), nil
}

// checkObject compares content with the name of a git object. The name of all
// zeros stands for no file.
func checkObject(content []byte, name string) error {
	if name != "" && strings.Trim(name, "0") == "" && len(content) == 0 {
		return nil
	}
	var h hash.Hash
	switch len(name) {
	case 2 * sha1.Size:
		h = sha1.New() //nolint:gosec // see above
	case 2 * sha256.Size:
		h = sha256.New()
	default:
		return fmt.Errorf("the index line %q has no full object names", name)
	}
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	if sum := hex.EncodeToString(h.Sum(nil)); sum != name {
		return fmt.Errorf("object %s where %s is expected", sum, name)
	}
	return nil
}
