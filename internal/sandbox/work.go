package sandbox

import (
	"fmt"
	"io/fs"
	"strconv"
)

// Bounds of what Changes hands out, beside those of its caller. The first is the kernel's:
// no program names a file beyond it in one call. The others bound what it takes to look
// at the names.
const (
	MaxPathBytes   = 4095    // of an absolute path (PATH_MAX without its NUL)
	MaxNameBytes   = 8 << 20 // of all names and targets of links together
	MaxChangeDepth = 255     // directories in one another
	MaxOmitted     = 1 << 18 // files and directories that are left out one by one; see Omitter
)

// WorkError says that an operation cannot be done because of what programs did in the
// sandbox, and for no other reason: nothing failed, and trying again does not help. It
// wraps ErrTooLarge, or fs.ErrNotExist where there is nothing to read.
type WorkError struct {
	Reason string // a clause for whoever did it, with the numbers
	Kind   error
}

func (e *WorkError) Error() string { return e.Reason }
func (e *WorkError) Unwrap() error { return e.Kind }

func tooLarge(format string, args ...any) error {
	return &WorkError{Reason: fmt.Sprintf(format, args...), Kind: ErrTooLarge}
}

// RootGone says that a root of changes, or something above it, is no directory any more:
// is says what it is instead, "" that nothing is there.
func RootGone(path, is string) error {
	reason := path + " is gone"
	if is != "" {
		reason = fmt.Sprintf("%s is a %s, and no directory", path, is)
	}
	return &WorkError{Reason: reason, Kind: fs.ErrNotExist}
}

// TooManyFiles says that more files were changed than limits allow.
func (l ChangeLimits) TooManyFiles(root string) error {
	return tooLarge("more than %s files were changed below %s", inThousands(l.MaxFiles), root)
}

// TooManyBytes says that the changed files are larger than limits allow.
func (l ChangeLimits) TooManyBytes(root string) error {
	return tooLarge("the files that were changed below %s have more than %s, each hard link counted as a file", root, inBytes(l.MaxBytes))
}

// TooDeep says that directories lie deeper in one another than MaxChangeDepth.
func TooDeep(root string) error {
	return tooLarge("more than %d directories lie in one another below %s", MaxChangeDepth, root)
}

// PathTooLong says that a path is longer than MaxPathBytes.
func PathTooLong(root string) error {
	return tooLarge("a path below %s has more than %s bytes", root, inThousands(MaxPathBytes))
}

// TooManyNames says that names are longer together than MaxNameBytes.
func TooManyNames(root string) error {
	return tooLarge("the names of what was changed below %s, and the targets of its links, have more than %s together", root, inBytes(MaxNameBytes))
}

// TooManyOmitted says that more is left out one by one than MaxOmitted.
func TooManyOmitted(root string) error {
	return tooLarge("more than %s files below %s are ignored one by one, and not with their directories", inThousands(MaxOmitted), root)
}

// inBytes is a number of bytes for people.
func inBytes(n int64) string {
	if n > 0 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return inThousands(n) + " bytes"
}

// inThousands writes a number with commas between its thousands.
func inThousands[N int | int64](n N) string {
	text := strconv.FormatInt(int64(n), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
