package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"assay/client"
	"assay/client/wire"
)

// idleSessions are opened, and the first and last firstSessions of them compared.
const (
	idleSessions  = 200
	firstSessions = 20
)

const mib = 1 << 20

// idle measures what sessions that do nothing cost: memory, and the time of those who
// come after them.
func (b *bench) idle(ctx context.Context) ([]Result, error) {
	before, err := pss(b.server.Pid())
	if err != nil {
		return nil, err
	}
	var sessions []string
	var times []float64
	for range idleSessions {
		began := time.Now()
		session, err := b.open(ctx, anySample)
		if err != nil {
			return nil, fmt.Errorf("session %d: %w", len(sessions)+1, err)
		}
		sessions, times = append(sessions, session), append(times, milliseconds(time.Since(began)))
	}
	all, err := pss(b.server.Pid())
	if err != nil {
		return nil, err
	}
	all -= before
	for _, session := range sessions {
		pids, err := b.program.Processes(session)
		if err != nil {
			return nil, err
		}
		if len(pids) == 0 {
			return nil, fmt.Errorf("session %s has no process", session)
		}
		for _, pid := range pids {
			size, err := pss(pid)
			if err != nil {
				return nil, err
			}
			all += size
		}
	}
	memory := Result{Name: fmt.Sprintf("%d idle sessions: memory of each, server included", idleSessions), Unit: "MiB", P50: float64(all) / idleSessions / mib}
	first, last := times[:firstSessions], times[len(times)-firstSessions:]
	late := timed(fmt.Sprintf("create sessions %d to %d / sessions 1 to %d", idleSessions-firstSessions+1, idleSessions, firstSessions), first, last)
	return []Result{memory.target("<= 10 MiB", memory.P50 <= 10), late.atMostTimes(1.2)}, b.closeAll(ctx, sessions)
}

func (b *bench) closeAll(ctx context.Context, sessions []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, session := range sessions {
		group.Go(func() error { return b.close(ctx, session) })
	}
	return group.Wait()
}

// pss returns the proportional set size of a process (proc_pid_smaps(5)), in bytes: its
// memory, and its part of what it shares.
func pss(pid int) (int64, error) {
	name := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	if _, err := os.Stat(name); err != nil {
		return 0, err
	}
	n := kib(field(name, "Pss"))
	if n == 0 {
		return 0, fmt.Errorf("%s has no Pss", name)
	}
	return int64(n) << 10, nil
}

// manySamples is the size of the dataset that is listed.
const manySamples = 50_000

// samples measures what one answer with all samples of a large dataset costs the server:
// the most memory that it has during it, less what it had before.
func (b *bench) samples(ctx context.Context) ([]Result, error) {
	dir, err := b.writeMany()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	say("importing %d samples", manySamples)
	if _, err := b.program.Run(ctx, "dataset", "import", dir); err != nil {
		return nil, err
	}
	query := client.SampleQuery{Dataset: manyName}
	if _, err := b.api.SamplePage(ctx, query, 1, 1); err != nil { // what any first request costs is not of interest
		return nil, err
	}
	status := fmt.Sprintf("/proc/%d/status", b.server.Pid())
	// 5 sets the peak to what is used now (proc_pid_clear_refs(5)).
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", b.server.Pid()), []byte("5"), 0); err != nil {
		return nil, err
	}
	before := kib(field(status, "VmRSS"))
	n := 0
	if err := b.api.Samples(ctx, query, func(*wire.Sample) error { n++; return nil }); err != nil {
		return nil, err
	}
	if n != manySamples {
		return nil, fmt.Errorf("%d samples were listed, not %d", n, manySamples)
	}
	grown := Result{Name: fmt.Sprintf("/samples without page, %d samples: growth of the server", manySamples), Unit: "MiB", P50: float64(kib(field(status, "VmHWM"))-before) / 1024}
	return []Result{grown.target("<= 64 MiB", grown.P50 <= 64)}, nil
}

const manyName = "many"

// writeMany writes a dataset of many samples, each with texts of usual sizes: 4 KB.
func (b *bench) writeMany() (dir string, err error) {
	dir = filepath.Join(b.dir, manyName)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	manifest := "schema: 1\nname: " + manyName + `
defaults:
  image: none:latest
  workdir: /testbed
  language: go
  verifier: {command: "true", timeout_seconds: 60, reports: [{path: "-", format: go-test-json}]}
`
	if err := os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte(manifest), 0o600); err != nil {
		return "", err
	}
	f, err := os.Create(filepath.Join(dir, "samples.jsonl"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	patch := func(file string) string {
		return "--- a/" + file + "\n+++ b/" + file + "\n@@ -1,1 +1,21 @@\n-" + strings.Repeat("x", 40) + "\n" +
			strings.Repeat("+"+strings.Repeat("y", 40)+"\n", 21)
	}
	row := map[string]any{
		"repo": "example/many", "base_commit": strings.Repeat("0", 40), "created_at": "2024-05-01T12:00:00Z",
		"problem_statement": "Something is wrong\n\n" + strings.Repeat("It should be otherwise, and it is not. ", 40),
		"patch":             patch("many.go"), "test_patch": patch("many_test.go"),
		"FAIL_TO_PASS": []string{"many::TestOne"}, "PASS_TO_PASS": []string{"many::TestTwo", "many::TestThree"},
	}
	for i, enc := 0, json.NewEncoder(f); i < manySamples; i++ {
		row["instance_id"] = fmt.Sprintf("example__many-%d", i)
		if err := enc.Encode(row); err != nil {
			return "", err
		}
	}
	return dir, nil
}
