// Command demo does Assay's main job on every sample of the starter dataset, over
// the HTTP API of a server that it starts: create a session, look around, verify
// (must not be solved), apply the reference fix, verify (must be solved), close.
// It shows the money, too: what there was, what each session cost, and the proof of
// the ledger. It exits 0 only if every verdict and every millionth of a dollar was as
// it should be.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"assay/client"
	"assay/e2e/harness"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := demo(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context) (err error) {
	var (
		assay   = flag.String("assay", "bin/assay", "the built `program`")
		starter = flag.String("starter", "build/starter", "the built starter dataset, a `folder`")
		dataDir = flag.String("data-dir", "build/data", "data `directory` of the server")
		workers = flag.Int("workers", runtime.NumCPU(), "samples at a time")
	)
	flag.Parse()
	data, err := filepath.Abs(*dataDir)
	if err != nil {
		return err
	}
	log, err := serverLog(data)
	if err != nil {
		return err
	}
	defer log.Close()

	began := time.Now()
	program := harness.Program{Path: *assay, DataDir: data, Log: log}
	say("loading images and importing the dataset (unpacked once, then reused)")
	if err := program.Prepare(ctx, *starter); err != nil {
		return err
	}
	user, err := program.NewUser(ctx, "demo")
	if err != nil {
		return err
	}
	server, err := program.Start(ctx, "--billing", "on")
	if err != nil {
		return fmt.Errorf("%w (%s)", err, log.Name())
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	say("serving at %s", server.URL)

	api, err := client.New(server.APIBase(), user.Key)
	if err != nil {
		return err
	}
	if err := credit(ctx, program, user, api); err != nil {
		return err
	}
	rows, err := solveAll(ctx, api, *starter, *workers)
	if err != nil {
		return err
	}
	fmt.Println()
	printTable(os.Stdout, rows)
	if err := settle(ctx, program, api, rows); err != nil {
		return err
	}
	return conclude(rows, *assay, *dataDir, time.Since(began))
}

// solveAll solves every sample of the starter dataset and returns a row for each, in their order.
func solveAll(ctx context.Context, api *client.Client, starter string, workers int) ([]row, error) {
	samples, err := harness.Samples(starter)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(samples))
	var group errgroup.Group
	group.SetLimit(workers)
	for i, sample := range samples {
		group.Go(func() error {
			rows[i] = solve(ctx, api, sample)
			say("%-30s %s", sample.ID, rows[i].outcome())
			return nil
		})
	}
	return rows, errors.Join(group.Wait(), ctx.Err())
}

// conclude says what came of it and what to do next.
func conclude(rows []row, assay, dataDir string, took time.Duration) error {
	wrong := 0
	for _, r := range rows {
		if r.err != nil {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d samples were not as they should be", wrong, len(rows))
	}
	fmt.Printf(`
All %d samples were judged as they should be, in %s.

Next: start the server yourself, and make yourself a user.

    export ASSAY_DATA_DIR=%s
    %s serve &
    %s user create --name Ada --email ada@example.org

README.md goes on from there.
`, len(rows), took.Round(time.Second), dataDir, assay, assay)
	return nil
}

// serverLog opens the file that takes the log of the server.
func serverLog(dataDir string) (*os.File, error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(dataDir, "demo.log"))
}

func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
