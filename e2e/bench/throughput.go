package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// throughputRuns are the reference verifications that are made as fast as can be.
const throughputRuns = 100

// throughput measures where the cores' time goes while reference verifications of all
// starter samples run, one a core: the server's queue has as many workers. Twice as many
// clients ask, so that the queue is never empty before the end.
func (b *bench) throughput(ctx context.Context) ([]Result, error) {
	sessions, err := b.solvedSessions(ctx)
	if err != nil {
		return nil, err
	}
	before, err := b.cpuNow()
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex
		spent cpu
		slots time.Duration // that workers had a suite running
	)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.NumCPU())
	for i := range throughputRuns {
		group.Go(func() error {
			j, err := b.judge(gctx, sessions[i%len(sessions)])
			if err == nil {
				err = j.mustBe(true)
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			spent.tests += seconds(j.Result.Evidence.Resources.CPUSeconds)
			slots += seconds(j.Result.Evidence.Durations.SuiteSeconds)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	after, err := b.cpuNow()
	if err != nil {
		return nil, err
	}
	spent.all, spent.server, spent.helpers = after.all-before.all, after.server-before.server, after.helpers-before.helpers
	spent.wall = after.at.Sub(before.at)
	return append(spent.results(throughputRuns, runtime.NumCPU()),
		percent("time of the workers in which a suite ran", slots, spent.wall*time.Duration(runtime.NumCPU()))), b.closeAll(ctx, sessions)
}

// solvedSessions opens a session of each starter sample and solves it.
func (b *bench) solvedSessions(ctx context.Context) (sessions []string, err error) {
	all, err := tasks(filepath.Join(b.starter, "dataset"))
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		session, err := b.patched(ctx, t, t.Patch, t.NonCodePatch)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
	}
	return sessions, nil
}

// cpu is time of cores, and where it went.
type cpu struct {
	at      time.Time
	wall    time.Duration
	tests   time.Duration // of the cgroups of clean sandboxes
	all     time.Duration // of everything on the machine
	server  time.Duration
	helpers time.Duration // of the programs that the server ran: runc
}

// results tells what n verifications on so many cores came to.
func (c cpu) results(n, cores int) []Result {
	each := func(what string, d time.Duration) Result {
		return Result{Name: "a verification's CPU beside its sandbox: " + what, Unit: "ms", P50: milliseconds(d) / float64(n)}
	}
	return []Result{
		{Name: fmt.Sprintf("%d reference verifications, %d workers", n, cores), Unit: "1/min", P50: float64(n) / c.wall.Minutes()},
		percent("CPU of their sandboxes by the cores' time", c.tests, c.wall*time.Duration(cores)).atLeast(90),
		percent("CPU of their sandboxes by all CPU that was used", c.tests, c.all),
		percent("CPU of their sandboxes by theirs, the server's and its programs'", c.tests, c.tests+c.server+c.helpers),
		each("all", c.all-c.tests),
		each("the server", c.server),
		each("the programs it runs", c.helpers),
	}
}

func percent(name string, part, whole time.Duration) Result {
	return Result{Name: name, Unit: "%", P50: 100 * float64(part) / float64(whole)}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// cpuNow reads what the machine and the server have used so far.
func (b *bench) cpuNow() (c cpu, err error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return c, err
	}
	of, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.server.Pid()))
	if err != nil {
		return c, err
	}
	c.at = time.Now()
	if c.all, err = busyTime(string(stat)); err != nil {
		return c, err
	}
	c.server, c.helpers, err = processTime(string(of))
	return c, err
}

// tick is the unit of CPU times in /proc: USER_HZ, which is 100 wherever Go runs.
const tick = 10 * time.Millisecond

// busyTime sums the time in which cores were busy, of /proc/stat (proc_stat(5)): all but
// idle, iowait and steal. What guests use is in user and nice.
func busyTime(stat string) (time.Duration, error) {
	first, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(first)
	const user, nice, system, irq, softirq = 1, 2, 3, 6, 7
	if len(fields) <= softirq || fields[0] != "cpu" {
		return 0, fmt.Errorf("/proc/stat begins with %q", first)
	}
	return ticks(fields[user], fields[nice], fields[system], fields[irq], fields[softirq])
}

// processTime returns what a process has used, and what its children that it has waited
// for have, of /proc/pid/stat (proc_pid_stat(5)).
func processTime(stat string) (own, children time.Duration, err error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) // the name may have blanks; from field 3 on
	const utime, stime, cutime, cstime = 14 - 3, 15 - 3, 16 - 3, 17 - 3
	if len(fields) <= cstime {
		return 0, 0, fmt.Errorf("a process's stat is %q", stat)
	}
	own, err = ticks(fields[utime], fields[stime])
	children, cerr := ticks(fields[cutime], fields[cstime])
	return own, children, errors.Join(err, cerr)
}

func ticks(values ...string) (sum time.Duration, err error) {
	for _, value := range values {
		n, perr := strconv.ParseInt(value, 10, 64)
		sum, err = sum+time.Duration(n)*tick, errors.Join(err, perr)
	}
	return sum, err
}
