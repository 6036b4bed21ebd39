package sandboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"

	"assay/internal/sandbox"
)

// spooled reads all that was kept of an output.
func (s *suite) spooled(sb sandbox.Sandbox, id string) (total int64, kept string) {
	s.Helper()
	err := sb.ReadSpool(s.context(), id, func(n int64, r io.Reader) error {
		content, err := io.ReadAll(r)
		total, kept = n, string(content)
		return err
	})
	if err != nil {
		s.Fatalf("read the output of %s: %v", id, err)
	}
	return total, kept
}

// lines is "0000000\n0000001\n...", which no part of is like another, and again from
// the first after so many.
type lines struct {
	again, next int
	line        [8]byte
	rest        []byte // of line
}

func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		l.line[7] = '\n'
		for i, n := 6, l.next%l.again; i >= 0; i, n = i-1, n/10 {
			l.line[i] = '0' + byte(n%10)
		}
		l.next++
		l.rest = l.line[:]
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// oneFile is how many bytes of lines the file "lines" has, which printLines prints.
const oneFile = 20 << 20

// printLines prints the file "lines" so many times.
func (s *suite) printLines(sb sandbox.Sandbox, times int) string {
	s.Helper()
	content, err := io.ReadAll(io.LimitReader(&lines{again: oneFile / 8}, oneFile))
	if err != nil {
		s.Fatal(err)
	}
	s.apply(sb, Workdir, file("lines", string(content)))
	return "cat" + strings.Repeat(" lines", times)
}

// expectLines reads r to its end, which must be so many bytes of what printLines prints.
func expectLines(r io.Reader, size int64) error {
	got, want := make([]byte, 64<<10), make([]byte, 64<<10)
	wanted := &lines{again: oneFile / 8}
	for at := int64(0); ; {
		n, err := io.ReadFull(r, got)
		if _, err := io.ReadFull(wanted, want[:n]); err != nil {
			return err
		}
		if !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("something else than was printed between bytes %d and %d", at, at+int64(n))
		}
		at += int64(n)
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return err
		case at != size:
			return fmt.Errorf("%d bytes, want %d", at, size)
		default:
			return nil
		}
	}
}

var spoolCases = []testCase{
	{"spool/kept until it is forgotten", nothing, func(s *suite) {
		sb := s.create()
		cmd := command("echo", "hello", "you")
		cmd.Spool = 100
		s.expectText("stdout", stdout(s.run(sb, cmd)), "hello you\n")
		for _, box := range []sandbox.Sandbox{sb, sb, s.reopen(sb)} {
			if total, kept := s.spooled(box, cmd.ID); total != 10 || kept != "hello you\n" {
				s.Errorf("kept %q of %d bytes", kept, total)
			}
		}
		enough := errors.New("enough")
		if err := sb.ReadSpool(s.context(), cmd.ID, func(int64, io.Reader) error { return enough }); !errors.Is(err, enough) {
			s.Errorf("the caller's error became %v", err)
		}
		if err := sb.Forget(s.context(), cmd.ID); err != nil {
			s.Fatal(err)
		}
		unasked := command("echo", "unasked")
		s.run(sb, unasked)
		for _, id := range []string{cmd.ID, unasked.ID, "never"} {
			err := sb.ReadSpool(s.context(), id, func(int64, io.Reader) error { return enough })
			if !errors.Is(err, sandbox.ErrUnknownCommand) {
				s.Errorf("read the output of %s, which has none: %v", id, err)
			}
		}
	}},
	{"spool/bounded", nothing, func(s *suite) {
		sb := s.create()
		for spool, want := range map[int64]string{1: "h", 5: "hello", 6: "hello\n", 7: "hello\n"} {
			cmd := command("echo", "hello")
			cmd.Spool = spool
			s.expectText("stdout", stdout(s.run(sb, cmd)), "hello\n")
			if total, kept := s.spooled(sb, cmd.ID); total != 6 || kept != want {
				s.Errorf("with room for %d, kept %q of %d bytes", spool, kept, total)
			}
		}
		nothing := command("false")
		nothing.Spool = 100
		s.run(sb, nothing)
		absent := command("no-such-program")
		absent.Spool = 100
		s.run(sb, absent)
		for _, id := range []string{nothing.ID, absent.ID} {
			if total, kept := s.spooled(sb, id); total != 0 || kept != "" {
				s.Errorf("of a command that prints nothing: %q of %d", kept, total)
			}
		}
	}},
	{"spool/not while it runs", nothing, func(s *suite) {
		sb := s.create()
		cmd := command("sleep", "1000")
		cmd.Spool = 100
		done := make(chan ended, 1)
		go func() {
			res, err := sb.Exec(s.context(), cmd)
			done <- ended{res, err}
		}()
		read := func() error {
			return sb.ReadSpool(s.context(), cmd.ID, func(int64, io.Reader) error { return nil })
		}
		err := read()
		for errors.Is(err, sandbox.ErrUnknownCommand) { // it was not started yet
			err = read()
		}
		if err == nil {
			s.Error("the output of a running command was read")
		}
		if err := sb.KillAll(s.context()); err != nil {
			s.Fatal(err)
		}
		s.await(done)
		if err := read(); err != nil {
			s.Errorf("after its end: %v", err)
		}
	}},
	{"spool/a large output is whole, and costs neither side memory", processes, func(s *suite) {
		const size = 2 * oneFile
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.MemoryBytes = 96 << 20 })
		cmd := script(s.printLines(sb, 2) + "; echo not this >&2; (sleep 0.2; echo nor this) &")
		cmd.Spool = 64 << 20
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := s.run(sb, cmd)
		if err := sb.KillAll(s.context()); err != nil {
			s.Fatal(err)
		}
		s.expectExit("exit", res.Exit, sandbox.ExitStatus{})
		if kept := len(res.Stdout.Head) + len(res.Stdout.Tail); res.Stdout.Total != size || kept != sandbox.DefaultOutputLimit {
			s.Errorf("head and tail have %d of %d bytes", kept, res.Stdout.Total)
		}
		var group sync.WaitGroup
		for _, box := range []sandbox.Sandbox{sb, sb, s.reopen(sb)} {
			group.Go(func() {
				if err := box.ReadSpool(s.context(), cmd.ID, func(total int64, r io.Reader) error {
					if total != size {
						s.Errorf("total %d, want %d", total, size)
					}
					return expectLines(r, size)
				}); err != nil {
					s.Errorf("read it: %v", err)
				}
			})
		}
		group.Wait()
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
			s.Errorf("%d bytes were allocated for an output of %d", used, size)
		}
		err := sb.ReadSpool(s.context(), cmd.ID, func(_ int64, r io.Reader) error {
			_, err := io.ReadFull(r, make([]byte, 8)) // the rest is skipped
			return err
		})
		if err != nil {
			s.Errorf("read its beginning: %v", err)
		}
	}},
	{"spool/a full disk", processes, func(s *suite) {
		const size, disk = 4 * oneFile, 64 << 20
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.DiskBytes = disk })
		cmd := script(s.printLines(sb, 4) + "; echo on >&2")
		cmd.Spool = 1 << 30
		res := s.run(sb, cmd)
		s.expectExit("exit", res.Exit, sandbox.ExitStatus{})
		s.expectText("the command", stderr(res), "on\n")
		err := sb.ReadSpool(s.context(), cmd.ID, func(total int64, r io.Reader) error {
			counted := &counter{r: r}
			if total != size {
				s.Errorf("total %d, want %d", total, size)
			}
			err := expectLines(counted, -1)
			if counted.n >= disk || counted.n < disk/8 || !strings.Contains(err.Error(), fmt.Sprintf("%d bytes, want", counted.n)) {
				s.Errorf("kept %d bytes: %v", counted.n, err)
			}
			return nil
		})
		if err != nil {
			s.Errorf("read it: %v", err)
		}
		if err := sb.Forget(s.context(), cmd.ID); err != nil {
			s.Fatal(err)
		}
		s.must(sb, fmt.Sprintf("head -c %d /dev/zero > fits", disk/3))
	}},
	{"spool/out of reach for root in the sandbox", processes, func(s *suite) {
		sb := s.create()
		s.arm(sb)
		cmd := script("printf 'the re'; echo port; touch /tmp/ready; until [ -e /tmp/end ]; do sleep 0.02; done; echo end")
		cmd.Spool = 1 << 20
		done := s.background(s.context(), sb, cmd)
		// Regular files only: to read from the pipe of a command would take it away.
		const find = `for f in /proc/[0-9]*/fd/* /proc/[0-9]*/map_files/*; do
				[ -f "$f" ] && grep -q "the re""port" "$f" 2> /dev/null && echo "$f"; done
			find / -xdev -type f -exec grep -l "the re""port" {} + ; ls -A / | grep spool`
		const alter = `for n in {0..63}; do { echo gone > /proc/1/fd/$n; : > /proc/1/fd/$n; } 2> /dev/null; done; true`
		search := func(when string) {
			s.Helper()
			s.expectText(when, stdout(s.sh(sb, find)), "")
			s.must(sb, alter)
			s.attack(sb, "take the agent's descriptors")
			s.attack(sb, "read and write the agent's memory")
		}
		search("while it runs")
		s.must(sb, "touch /tmp/end")
		s.await(done)
		search("when it has ended")
		if total, kept := s.spooled(sb, cmd.ID); total != 15 || kept != "the report\nend\n" {
			s.Errorf("kept %q of %d bytes", kept, total)
		}
	}},
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
