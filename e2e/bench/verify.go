package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// verifyRounds is how often a solved session is verified.
const verifyRounds = 8

// verify measures a verification, from POST to verdict, against the suite alone: the
// time that its command takes in a new sandbox with the same files, which is there
// already.
func (b *bench) verify(ctx context.Context) ([]Result, error) {
	task, err := b.task(verifySample)
	if err != nil {
		return nil, err
	}
	solved, err := b.patched(ctx, task, task.Patch)
	if err != nil {
		return nil, err
	}
	times, err := byTurns(ctx, 1, verifyRounds,
		func(ctx context.Context) (took time.Duration, err error) {
			session, err := b.patched(ctx, task, task.Patch, task.TestPatch)
			if err != nil {
				return 0, err
			}
			defer func() { err = errors.Join(err, b.close(ctx, session)) }()
			return b.commandTime(ctx, session, "export ASSAY_REPORTS=/tmp/reports; mkdir $ASSAY_REPORTS\n"+task.Assay.Verifier.Command)
		},
		timing(func(ctx context.Context) error {
			job, err := b.api.VerifyWait(ctx, solved)
			if err == nil && (job.Result == nil || !job.Result.IsSuccess) {
				err = fmt.Errorf("sample %s was not solved by its patch", task.ID)
			}
			return err
		}))
	if err != nil {
		return nil, err
	}
	return []Result{timed("verify / the suite's command in an identical sandbox", times[0], times[1]).atMostMore(150)},
		b.close(ctx, solved)
}

// task is what the benchmark needs of a row of a dataset.
type task struct {
	ID        string `json:"instance_id"`
	Patch     string `json:"patch"`
	TestPatch string `json:"test_patch"`
	Assay     struct {
		Verifier struct {
			Command string `json:"command"`
		} `json:"verifier"`
	} `json:"assay"`
}

// task reads a row, which must have a verifier of its own.
func (b *bench) task(id string) (t task, err error) {
	f, err := os.Open(filepath.Join(b.dir, "dataset", "samples.jsonl"))
	if err != nil {
		return t, err
	}
	defer f.Close()
	for dec := json.NewDecoder(bufio.NewReader(f)); t.ID != id; {
		t = task{}
		if err := dec.Decode(&t); err != nil {
			return t, fmt.Errorf("find sample %s: %w", id, err)
		}
	}
	if t.Assay.Verifier.Command == "" {
		return t, fmt.Errorf("sample %s has no verifier of its own", id)
	}
	return t, nil
}

// patched opens a session of a task and applies patches.
func (b *bench) patched(ctx context.Context, t task, patches ...string) (string, error) {
	session, err := b.open(ctx, t.ID)
	for _, p := range patches {
		if err == nil {
			err = b.command(ctx, session, "echo "+base64.StdEncoding.EncodeToString([]byte(p))+" | base64 -d | git apply")
		}
	}
	return session, err
}
