// Command bench measures what a user of Assay waits for, over the HTTP API of a server
// that it starts: the built program, real sandboxes, SQLite. Where there is a floor (what
// the host itself takes for the same work) it is measured in the same run, floor and
// product by turns, so that whatever else the machine does hits both.
//
// It prints a table and writes the numbers as JSON. It exits 0 when everything could be
// measured, whether or not the targets were met. docs/benchmarks.md says how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"assay/client"
	"assay/e2e/harness"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// benchmarks are all that there are, in the order in which they run. Each leaves the
// server as it found it.
var benchmarks = []struct {
	name    string
	measure func(*bench, context.Context) ([]Result, error)
}{
	{"exec", (*bench).exec},
	{"sessions", (*bench).sessions},
	{"edit", (*bench).edit},
	{"verify", (*bench).verify},
	{"wide", (*bench).wide},
	{"throughput", (*bench).throughput},
	{"get", (*bench).get},
	{"idle", (*bench).idle},
	{"samples", (*bench).samples},
}

func run(ctx context.Context) error {
	var (
		assay   = flag.String("assay", "bin/assay", "the built `program`")
		starter = flag.String("starter", "build/starter", "the built starter dataset, a `folder`")
		dir     = flag.String("dir", "build/bench", "`directory` for the server's data, its log and everything else")
		out     = flag.String("out", "bench.json", "`file` that takes the numbers")
		only    = flag.String("only", "", "comma-separated `names` of benchmarks: exec, sessions, edit, verify, wide, throughput, get, idle, samples (all)")
		serve   = flag.String("serve", "", "more `flags` for assay serve, separated by spaces")
	)
	flag.Parse()
	began, machine := time.Now(), thisMachine()
	b, err := newBench(ctx, *assay, *starter, *dir, strings.Fields(*serve))
	if err != nil {
		return err
	}
	defer b.log.Close()
	report := Report{Machine: machine}
	for _, m := range benchmarks {
		if *only != "" && !strings.Contains(","+*only+",", ","+m.name+",") {
			continue
		}
		say("%s", m.name)
		results, err := b.measured(ctx, m.measure)
		if err != nil {
			return fmt.Errorf("%s: %w (the server's log is %s)", m.name, err, b.log.Name())
		}
		report.Results = append(report.Results, results...)
	}
	report.Machine.LoadAfter = load()
	report.Machine.Seconds = time.Since(began).Seconds()
	fmt.Println()
	report.print(os.Stdout)
	return report.write(*out)
}

// bench is what the benchmarks share.
type bench struct {
	program harness.Program
	starter string
	dir     string
	log     *os.File
	flags   []string // of assay serve
	user    harness.User

	server *harness.Server // of the benchmark that runs now
	api    *client.Client
}

// The samples of the starter dataset that are used: one whose suite has nothing to
// compile, which would drown what is measured, and one for all the rest.
const (
	dataset      = "starter"
	anySample    = "Masterminds__semver-3.3.1"
	verifySample = "pallets__itsdangerous-2.1.1"
)

// serveFlags lift the limits that would be measured otherwise.
var serveFlags = []string{
	"--rate-limit-per-key=-1", "--rate-limit-per-address=-1",
	"--max-sessions=400", "--max-sessions-per-user=400", "--destroy-on-exit",
}

// newBench prepares a data directory: images that an earlier run unpacked are used
// again, the database is new.
func newBench(ctx context.Context, assay, starter, dir string, flags []string) (*bench, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"assay.db", "assay.db-wal", "assay.db-shm"} {
		if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
			return nil, err
		}
	}
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	b := &bench{
		program: harness.Program{Path: assay, DataDir: data, Log: log, Env: []string{"ASSAY_ALTERATIONS=off"}}, starter: starter, dir: dir, log: log,
		flags: append(append([]string(nil), serveFlags...), flags...),
	}
	say("loading images")
	if err := b.selectSamples(); err != nil {
		return nil, err
	}
	if err := b.program.Prepare(ctx, dir); err != nil {
		return nil, err
	}
	b.user, err = b.program.NewUser(ctx, "bench")
	return b, err
}

// datasetDir holds what is imported.
func (b *bench) datasetDir() string { return filepath.Join(b.dir, "dataset") }

// selectSamples takes all of the starter dataset, and adds the wide sample.
func (b *bench) selectSamples() error {
	all, err := tasks(filepath.Join(b.starter, "dataset"))
	if err != nil {
		return err
	}
	var ids []string
	for _, t := range all {
		ids = append(ids, t.ID)
	}
	if err := harness.Select(b.starter, b.dir, ids...); err != nil {
		return err
	}
	return b.addWide()
}

// measured runs one benchmark with a server of its own, so that none pays for what
// another one left in memory.
func (b *bench) measured(ctx context.Context, measure func(*bench, context.Context) ([]Result, error)) (results []Result, err error) {
	if b.server, err = b.program.Start(ctx, b.flags...); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.server.Stop()) }()
	if b.api, err = client.New(b.server.APIBase(), b.user.Key); err != nil {
		return nil, err
	}
	return measure(b, ctx)
}

func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
