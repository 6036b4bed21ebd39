// Command soak lets users work on a server that is killed at random moments, with
// its sandboxes, its runtime and its disk, and holds everything that they are told
// against the truth: no end of a command that is not the true one, no session,
// verification or cent that is lost, no verdict that changes, and nothing left on the
// host that the database does not own. It exits 0 only if no promise was broken.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"assay/e2e/harness"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == exhaustWord {
		if err := exhaustEpoll(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := soak(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(ctx context.Context) (err error) {
	var (
		assay   = flag.String("assay", "bin/assay", "the built `program`")
		starter = flag.String("starter", "build/starter", "the built starter dataset, a `folder`")
		dir     = flag.String("dir", "build/soak", "`folder` for the disk of the server, its log, and images, which are kept")
		minutes = flag.Float64("minutes", 20, "how long to make trouble")
		engine  = flag.String("database-url", "", "an empty PostgreSQL `database`; SQLite on the disk when not given")
		seed    = flag.Uint64("seed", 0, "of what happens; 0 takes one by chance")
		result  = flag.String("result", "soak.json", "`file` for the numbers")
	)
	flag.Parse()
	at, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	chosen := cmp.Or(*seed, rand.Uint64())
	counts := newCounts(say)
	say("seed %d; preparing images, a disk and a server", chosen)
	w, err := open(ctx, harness.Program{Path: *assay, DatabaseURL: *engine, Env: []string{fmt.Sprint("ASSAY_ID_BASE=", sandboxUID)}}, *starter, at, newBook(counts))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	began := time.Now()
	until := began.Add(time.Duration(*minutes * float64(time.Minute)))
	if err := w.live(ctx, chosen, until); err != nil {
		return fmt.Errorf("%w (the server's log is in %s)", err, at)
	}
	if err := w.finish(ctx); err != nil {
		return err
	}
	w.panicked(at)
	w.agreed(at)
	say("done")
	return counts.conclude(os.Stdout, *result, time.Since(began))
}

var errStopped = errors.New("the run was interrupted")

// calmBefore is how long before the end of a run there is no more trouble, so that
// what is under way can end.
const calmBefore = 10 * time.Second

// live lets users work and makes trouble until the time is over.
func (w *world) live(ctx context.Context, seed uint64, until time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var users sync.WaitGroup
	for i := range players {
		p := &player{world: w, name: fmt.Sprintf("p%d", i), random: rand.New(rand.NewPCG(seed, uint64(i+1)))}
		users.Go(func() { p.play(ctx, until) })
	}
	t := &troublemaker{world: w, random: rand.New(rand.NewPCG(seed, 0)), hung: make(chan struct{}, mostHung)}
	err := t.make(ctx, until.Add(-calmBefore))
	t.beside.Wait()
	if err != nil {
		cancel(err)
	}
	users.Wait()
	if ctx.Err() != nil {
		return errors.Join(errStopped, context.Cause(ctx))
	}
	return nil
}

func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
}
