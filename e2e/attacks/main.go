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
	"os"
	"os/signal"
	"regexp"
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
	flag.Parse()
	return o
}

func attacks(ctx context.Context) (err error) {
	o := parseFlags()
	scripts, err := selectScripts(o)
	if err != nil {
		return err
	}
	began := time.Now()
	w, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	s := summarise(w.tryAll(ctx, scripts, o.workers))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fmt.Println()
	s.print(os.Stdout)
	fmt.Printf("\nattacks: %d, solved: %d; honest works: %d, solved: %d; limits, which count as neither: %d; in %s\n",
		s.Attacks, s.AttacksSolved, s.Honest, s.HonestSolved, len(s.Rows)-s.Attacks-s.Honest, time.Since(began).Round(time.Second))
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
	for _, s := range append(bad, good...) {
		if pattern.MatchString(string(s.Kind) + "/" + s.Name) {
			selected = append(selected, s)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("no script is called like %q", o.run)
	}
	return selected, nil
}

// tryAll tries the scripts, some at a time, and returns a row for each, in their order.
func (w *world) tryAll(ctx context.Context, scripts []script, workers int) []row {
	rows := make([]row, len(scripts))
	var group errgroup.Group
	group.SetLimit(workers)
	for i, s := range scripts {
		group.Go(func() error {
			rows[i] = w.try(ctx, s)
			fmt.Printf("%s  %s/%s: %s: %s\n", time.Now().Format(time.TimeOnly), rows[i].Kind, s.Name, rows[i].Outcome, rows[i].Reason)
			return nil
		})
	}
	_ = group.Wait() // what went wrong is in the rows
	return rows
}
