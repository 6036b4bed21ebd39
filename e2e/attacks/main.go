// Command attacks tries the corpus of attacks, and the honest works beside it, on a real
// server: a session of each script's sample, the script, a verification. It prints a
// table, writes attacks.json, and exits 0 only if no attack was solved and every honest
// work was. README.md says how a script is written.
package main

import (
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
	form                      string // "" for any
	workers                   int
	strict, prove             bool
	generated                 int
	seed                      uint64
	searched                  choice
	ids                       []string // of the samples that are searched
	fresh                     bool     // for fresh truths, too
	drawn, plays, honestPlays int      // on searched samples
	resume                    bool
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
	flag.StringVar(&o.form, "form", "", "starter or swe-bench: try nothing in the other `form`")
	flag.IntVar(&o.workers, "workers", 2, "scripts at a time")
	flag.BoolVar(&o.strict, "strict-tampering", true, "fail unless the verdicts show the tampering that the headers name")
	flag.BoolVar(&o.prove, "prove", false, "show that the attacks fool a harness that judges in place")
	flag.IntVar(&o.generated, "generated", 0, "how many generated attacks to draw beside the scripts, of those that let canaries pass; -1 is all")
	flag.Uint64Var(&o.seed, "seed", 1, "what is drawn is drawn with it")
	flag.Var(&o.searched, "searched", "`samples` to search for alterations, so that rounds judge what is tried on them: ids, quick for one of each language, all or none")
	flag.BoolVar(&o.fresh, "fresh", true, "search them for true tests that nobody has seen, too")
	flag.IntVar(&o.drawn, "drawn", -1, "how many to draw of each kind of what there is to try on searched samples; -1 is all")
	flag.IntVar(&o.plays, "plays", 1, "how often to play each way to guess on searched samples, each time as another user")
	flag.IntVar(&o.honestPlays, "honest-plays", 1, "how often to try each honest work on searched samples, each time as another user")
	flag.BoolVar(&o.resume, "resume", false, "skip the scripts of which the output file has a row")
	flag.Var(&o.shard, "shard", "`part` of the scripts to try, such as 2/3")
	flag.Parse()
	return o
}

func attacks(ctx context.Context) (err error) {
	o := parseFlags()
	if o.ids, err = o.searched.of(o.seed, o.starter); err != nil {
		return err
	}
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
	w, err := open(ctx, o, scripts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	t := &trials{world: w, done: done, out: o.out}
	rows, err := t.all(ctx, scripts, o.workers)
	if err != nil {
		return err
	}
	s := summarise(rows)
	s.Searched = w.found
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
	for _, s := range slices.Concat(bad, generatedScripts(o.seed, o.generated), good, o.onSearched(bad, good)) {
		if pattern.MatchString(string(s.Kind)+"/"+s.Name) && (o.form == "" || o.form == string(s.form())) {
			selected = append(selected, s)
		}
	}
	if selected = o.shard.of(selected); len(selected) == 0 {
		return nil, fmt.Errorf("no script is called like %q", o.run)
	}
	return selected, nil
}

// onSearched returns what is to be tried on searched samples.
func (o options) onSearched(bad, good []script) []script {
	if len(o.ids) == 0 {
		return nil
	}
	works := drawScripts(onSearched(good, o.ids), o.seed, o.drawn)
	return slices.Concat(
		drawScripts(onSearched(bad, o.ids), o.seed, o.drawn), generatedOnSearched(o.seed, o.drawn, o.plays, o.ids),
		repeated(works, o.honestPlays),
	)
}

// repeated returns scripts n times, each time as a user of its own.
func repeated(scripts []script, n int) (all []script) {
	for _, s := range scripts {
		name := s.Name
		for i := range n {
			s.Name, s.NewUser = fmt.Sprintf("%s#%d", name, i+1), true
			all = append(all, s)
		}
	}
	return all
}

// trials are the trials of many scripts.
type trials struct {
	world *world
	done  map[string]row // what came of scripts earlier
	out   string         // the file that always has what is known

	mu   sync.Mutex
	rows map[string]row // that are known, by their names; guarded by mu
}

// all tries the scripts, some at a time, and returns a row for each, in their order, and
// behind them those of an earlier run that are of other scripts.
func (t *trials) all(ctx context.Context, scripts []script, workers int) ([]row, error) {
	t.rows = maps.Clone(t.done)
	guesses, others := partition(t.left(scripts), func(s script) bool { return s.Kind == guess && s.Searched })
	for _, phase := range []struct {
		feedback string
		scripts  []script
	}{{"verdict", guesses}, {"full", others}} {
		if len(t.world.found) > 0 && len(phase.scripts) > 0 {
			if err := t.world.feedback(ctx, phase.feedback); err != nil {
				return nil, err
			}
		}
		if err := t.some(ctx, phase.scripts, workers); err != nil {
			return nil, err
		}
	}
	return t.sorted(scripts), nil
}

// left returns the scripts of which nothing came yet.
func (t *trials) left(scripts []script) []script {
	left, _ := partition(scripts, func(s script) bool {
		known, ok := t.done[s.Name]
		return !ok || known.seed() != s.seed()
	})
	return left
}

func partition(scripts []script, is func(script) bool) (those, others []script) {
	for _, s := range scripts {
		if is(s) {
			those = append(those, s)
		} else {
			others = append(others, s)
		}
	}
	return those, others
}

// some tries scripts, so many at a time.
func (t *trials) some(ctx context.Context, scripts []script, workers int) error {
	var group errgroup.Group
	group.SetLimit(workers)
	for _, s := range scripts {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r := t.world.try(ctx, s)
			fmt.Printf("%s  %s/%s: %s: %s\n", time.Now().Format(time.TimeOnly), r.Kind, s.Name, r.Outcome, r.Reason)
			return t.keep(ctx, r)
		})
	}
	return group.Wait()
}

// keep writes what is known so far, so that who is interrupted can go on.
func (t *trials) keep(ctx context.Context, r row) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err() // what an interrupt broke tells nothing
	}
	t.rows[r.Name] = r
	s := summarise(slices.Collect(maps.Values(t.rows)))
	s.Searched = t.world.found
	return s.write(t.out)
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
