package sandboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"assay/internal/sandbox"
)

var limitCases = []testCase{
	{"limits/memory", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.MemoryBytes = 96 << 20 })
		if s.lacks(HogDiesAlone) {
			_, err := sb.Exec(s.context(), command("tail", "/dev/zero"))
			s.expectHeld(HogDiesAlone, !errors.Is(err, sandbox.ErrGone), fmt.Sprint(err))
			s.expectDeath(sb, sandbox.DeathOOM)
			s.expectDead(sb)
			return
		}
		want := sandbox.ExitStatus{Code: 137, Signal: 9, OOMKilled: true}
		s.expectExit("a hog", s.run(sb, command("tail", "/dev/zero")).Exit, want)
		want.Signal = 0
		s.expectExit("a hog below a shell", s.sh(sb, "tail /dev/zero; exit $?").Exit, want)
		s.expectExit("killed by another", s.sh(sb, "kill -9 $$").Exit, sandbox.ExitStatus{Code: 137, Signal: 9})
		s.expectExit("files in /dev/shm", s.sh(sb, "head -c 60m /dev/zero > /dev/shm/x && tail /dev/zero; exit $?").Exit, want)
		s.must(sb, "rm /dev/shm/x; echo alive")
	}},
	{"limits/memory of files is not counted for ever", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.MemoryBytes, spec.Limits.DiskBytes = 96<<20, 512<<20 })
		s.must(sb, "head -c 300m /dev/zero > big; cat big big | md5sum; rm big")
	}},
	{"limits/processes", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.PIDs = 64 })
		bomb := script("bomb() { bomb | bomb & }; bomb; sleep 1000")
		bomb.Timeout = 2 * time.Second
		if s.lacks(BombEndsAlone) { // it may, and it may not; but nobody is told a lie
			res, err := sb.Exec(s.context(), bomb)
			switch {
			case errors.Is(err, sandbox.ErrGone):
				s.expectDeath(sb, sandbox.DeathLost)
				s.expectDead(sb)
			case err != nil || res.Exit.Code == 0:
				s.Errorf("the bomb: %+v, %v", res.Exit, err)
			}
			return
		}
		res := s.run(sb, bomb)
		if res.Duration > 30*time.Second {
			s.Errorf("it took %v to end a fork bomb", res.Duration)
		}
		if err := sb.KillAll(s.context()); err != nil {
			s.Errorf("kill all: %v", err)
		}
		s.expectText("afterwards", s.must(sb, "echo alive"), "alive\n")
		res = s.exec(sb, "sh", "-c", "i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i+1)); done; wait") // bash tries again for 15 s
		if res.Exit.Code == 0 || !strings.Contains(stderr(res), "fork") {
			s.Errorf("a hundred processes where 64 are allowed: %+v, %s", res.Exit, stderr(res))
		}
	}},
	{"limits/disk", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.DiskBytes = 64 << 20 })
		for _, dir := range []string{".", "/tmp", "/var", "/dev/shm"} {
			res := s.sh(sb, "dd if=/dev/zero of="+dir+"/big bs=1M count=200")
			if res.Exit.Code != 1 || !strings.Contains(stderr(res), "No space left on device") {
				s.Errorf("200 MB in %s: %+v, %s", dir, res.Exit, stderr(res))
			}
			s.must(sb, "rm "+dir+"/big; echo fits > "+dir+"/small; cat "+dir+"/small")
		}
	}},
	{"limits/a layer that does not fit", processes, func(s *suite) {
		for name, made := range map[string]func() *bytes.Buffer{
			"bytes": func() *bytes.Buffer { return layer(s, file("big", strings.Repeat("x", 32<<20))) },
			"files": func() *bytes.Buffer {
				many := make([]entry, 6000)
				for i := range many {
					many[i] = file(fmt.Sprint(i), "")
				}
				return layer(s, many...)
			},
		} {
			sb := s.create(func(spec *sandbox.Spec) { spec.Limits.DiskBytes = 16 << 20 })
			if err := sb.ApplyLayer(s.context(), Workdir, made()); !errors.Is(err, sandbox.ErrNoRoom) {
				s.Errorf("too many %s: %v", name, err)
			}
			s.expectText("afterwards", s.must(sb, "echo alive"), "alive\n")
		}
	}},
	{"limits/number of files", processes, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.DiskBytes = 16 << 20 })
		res := s.sh(sb, "mkdir many; for i in {1..6000}; do : > many/$i || exit 9; done")
		if res.Exit.Code != 9 || !strings.Contains(stderr(res), "No space left on device") {
			s.Errorf("6000 files: %+v, %s", res.Exit, stderr(res))
		}
		s.must(sb, "rm -r many; echo fits > small; cat small")
	}},
	{"limits/cpu", processes | stats, func(s *suite) {
		sb := s.create(func(spec *sandbox.Spec) { spec.Limits.CPUs = 0.5 })
		spin := script("while :; do :; done & while :; do :; done")
		spin.Timeout = 2 * time.Second
		res := s.run(sb, spin)
		used, err := sb.(sandbox.StatsReader).Stats(s.context())
		if err != nil {
			s.Fatal(err)
		}
		if most := res.Duration*6/10 + 300*time.Millisecond; used.CPU > most || used.CPU < res.Duration/20 {
			s.Errorf("used %v in %v with half a core", used.CPU, res.Duration)
		}
	}},
	{"limits/load of the host", processes | load, func(s *suite) {
		host := s.Runtime.(sandbox.HostLoad)
		before, err := host.Load(s.context())
		if err != nil {
			s.Fatal(err)
		}
		spin := script("while :; do :; done")
		spin.Timeout = time.Second
		s.run(s.create(), spin)
		after, err := host.Load(s.context())
		if err != nil {
			s.Fatal(err)
		}
		wall, busy := after.Wall.Sub(before.Wall), after.CPUBusy-before.CPUBusy
		if after.CPUs < 1 || busy < 100*time.Millisecond || busy > wall*time.Duration(after.CPUs)+time.Second {
			s.Errorf("%d CPUs were busy for %v in %v", after.CPUs, busy, wall)
		}
		if after.CPUStalled < before.CPUStalled || after.MemoryStalled < before.MemoryStalled || after.IOStalled < before.IOStalled {
			s.Errorf("it waits less and less: %+v, then %+v", before, after)
		}
	}},
	{"limits/stats", stats, func(s *suite) {
		sb := s.create()
		s.exec(sb, "true")
		used, err := sb.(sandbox.StatsReader).Stats(s.context())
		if err != nil || used.CPU <= 0 || used.OOMKills != 0 {
			s.Errorf("stats %+v, %v", used, err)
		}
	}},
}
