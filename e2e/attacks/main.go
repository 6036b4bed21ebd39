// Command attacks tries the corpus of attacks, and the honest works beside it, on a real
// server: a session of each script's sample, the script, a verification. It prints a
// table, writes attacks.json, and exits 0 only if no attack was solved and every honest
// work was. README.md says how a script is written.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := attacks(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "attacks:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	assay, starter, dataDir   string // the built program, the built starter dataset, the server's data
	attacks, honest, out, run string
	workers                   int
	strict, prove             bool
	generated, plays          int
	seed                      uint64
	canaried                  bool
	reported, resume          bool
	shard                     shard
}

func parseFlags() (o options) {
	flag.StringVar(&o.assay, "assay", "bin/assay", "the built `program`")
	flag.StringVar(&o.starter, "starter", "build/starter", "the built starter dataset, a `folder`")
	flag.StringVar(&o.dataDir, "data-dir", "build/attacks", "data `directory` of the server")
	flag.StringVar(&o.attacks, "attacks", "e2e/attacks", "`folder` of the attacks")
	flag.StringVar(&o.honest, "honest", "e2e/honest", "`folder` of the honest works")
	flag.StringVar(&o.out, "out", "attacks.json", "`file` for what came of them")
	flag.StringVar(&o.run, "run", "", "`pattern` of the names to try, such as go/; all when empty")
	flag.IntVar(&o.workers, "workers", 2, "scripts at a time")
	flag.BoolVar(&o.strict, "strict-tampering", true, "fail unless the verdicts show the tampering that the headers name")
	flag.BoolVar(&o.prove, "prove", false, "show that the attacks fool a harness that judges in place")
	flag.IntVar(&o.generated, "generated", 0, "how many generated attacks to draw beside the scripts; -1 is all")
	flag.Uint64Var(&o.seed, "seed", 1, "what they are drawn with")
	flag.BoolVar(&o.canaried, "canaried", false, "draw only from those that let canaries pass: the others are not refused before verdicts rest on altered tests")
	flag.IntVar(&o.plays, "plays", 0, "how often to play each guessing one, each time as another user")
	flag.BoolVar(&o.reported, "report-generated", false, "let what comes of generated attacks fail nothing")
	flag.BoolVar(&o.resume, "resume", false, "skip the scripts of which the output file has a row")
	flag.Var(&o.shard, "shard", "`part` of the scripts to try, such as 2/3")
	flag.Parse()
	return o
}

func attacks(ctx context.Context) (err error) {
	o := parseFlags()
	scripts, err := selectScripts(o)
	if err != nil {
		return err
	}
	done := map[string]row{} // nothing is known
	if o.resume {
		if done, err = earlier(o.out); err != nil {
			return err
		}
	}
	began := time.Now()
	w, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	again, users, err := w.plays(ctx, scripts, o.plays)
	if err != nil {
		return err
	}
	t := &trials{world: w, users: users, done: done, out: o.out}
	rows, err := t.all(ctx, append(scripts, again...), o.workers)
	if err != nil {
		return err
	}
	s := summarise(rows)
	fmt.Println()
	s.print(os.Stdout)
	s.printCounts(os.Stdout, time.Since(began))
	return errors.Join(s.verdict(), s.write(o.out))
}

// selectScripts reads the corpus and returns what is to be tried of it.
func selectScripts(o options) ([]script, error) {
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return nil, err
	}
	bad, err := readScripts(o.attacks, attack)
	if err != nil {
		return nil, err
	}
	good, err := readScripts(o.honest, honest)
	if err != nil {
		return nil, err
	}
	var selected []script
	for _, s := range slices.Concat(bad, generatedScripts(o.seed, o.generated, o.canaried), good) {
		if pattern.MatchString(string(s.Kind) + "/" + s.Name) {
			selected = append(selected, s)
		}
	}
	if selected = o.shard.of(selected); len(selected) == 0 {
		return nil, fmt.Errorf("no script is called like %q", o.run)
	}
	return selected, nil
}

// trials are the trials of many scripts.
type trials struct {
	world *world
	users map[string]*world // whose trial a script is, by its name; the world's where there is none
	done  map[string]row    // what came of scripts earlier
	out   string            // the file that always has what is known

	mu   sync.Mutex
	rows map[string]row // that are known, by their names; guarded by mu
}

// all tries the scripts, some at a time, and returns a row for each, in their order, and
// behind them those of an earlier run that are of other scripts.
func (t *trials) all(ctx context.Context, scripts []script, workers int) ([]row, error) {
	t.rows = maps.Clone(t.done)
	var group errgroup.Group
	group.SetLimit(workers)
	for _, s := range scripts {
		if known, ok := t.done[s.Name]; ok && known.seed() == s.seed() {
			continue
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r := cmp.Or(t.users[s.Name], t.world).try(ctx, s)
			fmt.Printf("%s  %s/%s: %s: %s\n", time.Now().Format(time.TimeOnly), r.Kind, s.Name, r.Outcome, r.Reason)
			return t.keep(ctx, r)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return t.sorted(scripts), nil
}

// keep writes what is known so far, so that who is interrupted can go on.
func (t *trials) keep(ctx context.Context, r row) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err() // what an interrupt broke tells nothing
	}
	t.rows[r.Name] = r
	return summarise(slices.Collect(maps.Values(t.rows))).write(t.out)
}

func (t *trials) sorted(scripts []script) []row {
	rows := make([]row, 0, len(t.rows))
	left := maps.Clone(t.rows)
	for _, s := range scripts {
		rows = append(rows, t.rows[s.Name])
		delete(left, s.Name)
	}
	for _, name := range sortedKeys(left) {
		rows = append(rows, left[name])
	}
	return rows
}
