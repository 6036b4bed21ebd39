// Command build makes the starter dataset: it fetches the sources that the recipes
// name, derives the patches, builds one OCI image per sample, checks the recorded
// test lists by running, and writes
//
//	OUT/dataset/   dataset.yaml and samples.jsonl
//	OUT/images/    an OCI layout that holds every image
//	OUT/work/      downloads, image storage and notes on what is done; may be deleted
//
// What is unchanged since the last run is not done again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"assay/datasets/starter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starter:", err)
		os.Exit(1)
	}
}

type options struct {
	out           string
	samples       []string
	record        string
	storageDriver string
	mirror        string
}

func parse(args []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.StringVar(&opts.out, "out", "build/starter", "write to this `directory`")
	flags.Func("sample", "build only this `id`; may be given more than once", func(id string) error {
		opts.samples = append(opts.samples, id)
		return nil
	})
	flags.StringVar(&opts.record, "record", "", "run every state three times and write the lists to this recipes `directory`, instead of checking them")
	flags.StringVar(&opts.storageDriver, "storage-driver", "overlay", "buildah's storage driver; vfs works where overlay does not, but copies every layer")
	flags.StringVar(&opts.mirror, "debian-mirror", "", "Debian archive `URL` (default: the one that this machine's apt uses)")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	if flags.NArg() > 0 {
		return opts, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	out, err := filepath.Abs(opts.out)
	opts.out = out
	return opts, err
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	opts, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	all, err := starter.LoadAll()
	if err != nil {
		return err
	}
	recipes, err := choose(all, opts.samples)
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(opts.out, "work"))
	if err != nil {
		return err
	}
	defer unlock()
	b := newBuilder(opts, stdout)
	defer func() { err = errors.Join(err, b.Close()) }()
	rows := make([]row, 0, len(recipes))
	for i, r := range recipes {
		b.prefix = fmt.Sprintf("[%2d/%d] %s", i+1, len(recipes), r.InstanceID)
		built, err := b.sample(ctx, r)
		if err != nil {
			return fmt.Errorf("build %s: %w", r.InstanceID, err)
		}
		rows = append(rows, built)
	}
	if opts.record != "" {
		fmt.Fprintf(stdout, "%d samples recorded in %s; build again to check them\n", len(rows), opts.record)
		return nil
	}
	if err := writeDataset(filepath.Join(opts.out, "dataset"), rows); err != nil {
		return err
	}
	if err := b.tidy(ctx, all); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d samples ready in %s after %s\n", len(rows), opts.out, time.Since(b.started).Round(100*time.Millisecond))
	return nil
}

// lock keeps a second builder off the same directory.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w: is another build running?", file.Name(), err)
	}
	return func() { file.Close() }, nil
}

// choose returns the recipes with the given ids, or all of them if none is given.
func choose(recipes []starter.Recipe, ids []string) ([]starter.Recipe, error) {
	if len(ids) == 0 {
		return recipes, nil
	}
	var chosen []starter.Recipe
	for _, r := range recipes {
		if slices.Contains(ids, r.InstanceID) {
			chosen = append(chosen, r)
			ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == r.InstanceID })
		}
	}
	if len(ids) > 0 {
		return nil, fmt.Errorf("no recipe for %s", strings.Join(ids, ", "))
	}
	return chosen, nil
}
