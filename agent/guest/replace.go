package guest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"assay/agent/internal/wire"
	"assay/internal/sandbox"
)

// replace replaces the one occurrence of old in the text file path, which the
// result calls name. Every reason not to is a result that tells what to do about it.
//
// The file is written beside the old one and renamed over it, so that it is there
// whole at any moment; it is not synced to disk, which it would not outlive the
// sandbox on. Mode, owner and extended attributes are carried over. A link is
// followed and stays; other hard links keep the old content.
//
// In a file whose lines all end in CR LF, strings without CR match and are
// inserted with CR LF.
func replace(path, name string, old, fresh []byte) sandbox.ReplaceResult {
	if len(old) == 0 {
		return refuse("nothing to replace was given")
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return refuse("%s", reason(name, err))
	}
	f, info, err := openRegular(real)
	if err != nil {
		return refuse("%s", reason(name, err))
	}
	defer f.Close()
	text, err := readBounded(f, info, wire.MaxReplaceFile)
	if err != nil {
		return refuse("%s", reason(name, err))
	}
	if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
		return refuse("%s is not a text file (UTF-8); it was not changed", name)
	}
	if isDOS(text) && bytes.IndexByte(old, '\r') < 0 && bytes.IndexByte(fresh, '\r') < 0 {
		old, fresh = toDOS(old), toDOS(fresh)
	}
	at, message := findOnce(text, old, name)
	if at < 0 {
		return refuse("%s", message)
	}
	edited := make([]byte, 0, len(text)-len(old)+len(fresh))
	edited = append(append(append(edited, text[:at]...), fresh...), text[at+len(old):]...)
	if err := rewrite(real, f, info, edited); err != nil {
		return refuse("%s was not changed: %s", name, cause(err))
	}
	return sandbox.ReplaceResult{Replaced: true, Message: fmt.Sprintf("Replaced the text at line %d of %s.", lineOf(text, at), name)}
}

func refuse(format string, args ...any) sandbox.ReplaceResult {
	return sandbox.ReplaceResult{Message: fmt.Sprintf(format, args...)}
}

// maxLines is how many line numbers a message names.
const maxLines = 20

// findOnce finds the one occurrence of old, or tells why there is no such one.
// Occurrences that overlap count each.
func findOnce(text, old []byte, name string) (int, string) {
	first, count := -1, 0
	var lines []string
	for from := 0; ; {
		i := bytes.Index(text[from:], old)
		if i < 0 {
			break
		}
		at := from + i
		if count++; count == 1 {
			first = at
		}
		if count <= maxLines {
			lines = append(lines, strconv.Itoa(lineOf(text, at)))
		}
		from = at + 1
	}
	switch {
	case count == 1:
		return first, ""
	case count == 0:
		return -1, notFound(text, old, name)
	case count > maxLines:
		lines = append(lines, "...")
	}
	return -1, fmt.Sprintf("The text occurs %d times in %s, at lines %s. Add surrounding lines to make it unique; nothing was changed.",
		count, name, strings.Join(lines, ", "))
}

// notFound tells where to look when only white space is in the way.
func notFound(text, old []byte, name string) string {
	message := fmt.Sprintf("The text was not found in %s; nothing was changed. It must match exactly, with white space and indentation.", name)
	first, _, _ := bytes.Cut(bytes.TrimSpace(old), []byte("\n"))
	if first = bytes.TrimSpace(first); len(first) == 0 {
		return message
	}
	if at := bytes.Index(text, first); at >= 0 {
		message += fmt.Sprintf(" Its first line, without indentation, is at line %d.", lineOf(text, at))
	}
	return message
}

func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

// isDOS tells whether there are lines and all of them end in CR LF.
func isDOS(text []byte) bool {
	n := bytes.Count(text, []byte("\n"))
	return n > 0 && n == bytes.Count(text, []byte("\r\n"))
}

func toDOS(p []byte) []byte { return bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")) }

// reason words an error for somebody who called the file name.
func reason(name string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return name + " does not exist."
	case errors.Is(err, errDirectory):
		return name + " is a directory."
	case errors.Is(err, errNotRegular):
		return name + " is not a regular file."
	case errors.Is(err, sandbox.ErrTooLarge):
		return fmt.Sprintf("%s is larger than %d bytes.", name, wire.MaxReplaceFile)
	}
	return name + ": " + cause(err)
}

// cause is the message of err without the names that it was wrapped with.
func cause(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}

// rewrite puts content in the place of f, which path names.
func rewrite(path string, f *os.File, info fs.FileInfo, content []byte) error {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	temp := ".assay-" + strconv.FormatUint(rand.Uint64(), 36) //nolint:gosec // O_EXCL is what makes it safe
	t, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = t.Write(content)
	if err == nil {
		err = carryOver(f, t, info)
	}
	if cerr := t.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = dir.Rename(temp, filepath.Base(path))
	}
	if err != nil {
		dir.Remove(temp) //nolint:errcheck // the first error is the one to tell
	}
	return err
}

// carryOver gives to what from has: owner, mode (in this order: a change of owner
// clears set-id bits), extended attributes.
func carryOver(from, to *os.File, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("stat of %T", info.Sys())
	}
	if st.Uid != uint32(os.Geteuid()) || st.Gid != uint32(os.Getegid()) {
		if err := to.Chown(int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
	}
	if err := unix.Fchmod(int(to.Fd()), st.Mode&0o7777); err != nil {
		return err
	}
	return copyXattrs(int(from.Fd()), int(to.Fd()))
}

// copyXattrs copies the attributes that the user of the sandbox can set: user.*
// and POSIX ACLs.
func copyXattrs(from, to int) error {
	names := make([]byte, 64<<10) // XATTR_LIST_MAX
	n, err := unix.Flistxattr(from, names)
	if err != nil || n == 0 {
		return nil // the file system has none
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names[:n]), "\x00"), "\x00") {
		if !strings.HasPrefix(name, "user.") && name != "system.posix_acl_access" {
			continue
		}
		value := make([]byte, 64<<10) // XATTR_SIZE_MAX
		n, err := unix.Fgetxattr(from, name, value)
		if err != nil {
			return err
		}
		if err := unix.Fsetxattr(to, name, value[:n], 0); err != nil {
			return err
		}
	}
	return nil
}
