package oci

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// A runtime binary that was freezing a sandbox when its server was killed may take until
	// then to have done so.
	thawTries = 10
	thawPause = 200 * time.Millisecond
	// thawBound is how long a program may take that thaws.
	thawBound = 10 * time.Second
)

// ThawLeft is the guard of a Runtime (see Config.Guard): it reads from its pipe which sandboxes
// are frozen, and thaws those that are when the pipe ends without a word. It returns when it has.
func ThawLeft(pipe io.Reader) error {
	letGoOfInherited()
	frozen := make(map[string]thawing)
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		var what thawing
		if err := json.Unmarshal(lines.Bytes(), &what); err != nil {
			break // the server was killed while it wrote this
		}
		switch {
		case what.ID == "":
			return nil
		case what.File == "" && len(what.Run) == 0:
			delete(frozen, what.ID)
		default:
			frozen[what.ID] = what
		}
	}
	errs := []error{lines.Err()}
	for _, how := range frozen {
		errs = append(errs, how.do())
	}
	return errors.Join(errs...)
}

// letGoOfInherited closes what was open in the server's own parent and came along: somebody may
// wait for its end. What the runtime of Go opens for itself does not come along.
func letGoOfInherited() {
	names, _ := filepath.Glob("/proc/self/fd/*") // none where there is no /proc
	for _, name := range names {
		fd, err := strconv.Atoi(filepath.Base(name))
		if err != nil || fd <= 2 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd) // it is only let go of
		}
	}
}

// do thaws. A sandbox that is gone needs no thawing.
func (t thawing) do() error {
	if len(t.Run) == 0 {
		err := writeFile(t.File, t.Text)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
			return nil
		}
		return err
	}
	again := time.NewTicker(thawPause) // the runtime gives no signal
	defer again.Stop()
	var err error
	for range thawTries {
		if err = t.run(); err == nil {
			return nil
		}
		<-again.C
	}
	return err
}

func (t thawing) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), thawBound)
	defer cancel()
	return exec.CommandContext(ctx, t.Run[0], t.Run[1:]...).Run()
}
