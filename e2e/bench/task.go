package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// task is what the benchmarks need of a row of a dataset.
type task struct {
	ID           string `json:"instance_id"`
	Patch        string `json:"patch"`
	NonCodePatch string `json:"non_code_patch"`
	TestPatch    string `json:"test_patch"`
	Assay        struct {
		Image    string `json:"image"`
		Verifier struct {
			Command    string `json:"command"`
			CommandFor string `json:"command_for"` // that runs some tests alone
			Canaries   []struct {
				Path string `json:"path"`
				Text string `json:"text"`
			} `json:"canaries"`
		} `json:"verifier"`
	} `json:"assay"`
}

// tasks reads the rows of a dataset.
func tasks(dataset string) (all []task, err error) {
	f, err := os.Open(filepath.Join(dataset, "samples.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for dec := json.NewDecoder(bufio.NewReader(f)); ; {
		var t task
		if err := dec.Decode(&t); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Name(), err)
		}
		all = append(all, t)
	}
}

// task returns a row, which must have a verifier of its own.
func (b *bench) task(id string) (task, error) {
	all, err := tasks(b.datasetDir())
	if err != nil {
		return task{}, err
	}
	for _, t := range all {
		switch {
		case t.ID != id:
		case t.Assay.Verifier.Command == "":
			return t, fmt.Errorf("sample %s has no verifier of its own", id)
		default:
			return t, nil
		}
	}
	return task{}, fmt.Errorf("there is no sample %s", id)
}

// patched opens a session of a task and applies patches.
func (b *bench) patched(ctx context.Context, t task, patches ...string) (string, error) {
	return b.patchedIn(ctx, dataset, t, patches...)
}

func (b *bench) patchedIn(ctx context.Context, dataset string, t task, patches ...string) (string, error) {
	session, err := b.openIn(ctx, dataset, t.ID)
	for _, p := range patches {
		if err == nil && p != "" {
			err = b.command(ctx, session, encoded(p)+" | git apply")
		}
	}
	return session, err
}

// encoded is a command that prints a text.
func encoded(text string) string {
	return "echo " + base64.StdEncoding.EncodeToString([]byte(text)) + " | base64 -d"
}

// The suite runs as in a clean room: see bare.
const (
	bareUser    = "setpriv --reuid=65534 --regid=65534 --clear-groups"
	bareReports = "/run/assay/reports"
	bareEnv     = "LANG=C.UTF-8 TZ=UTC PYTHONHASHSEED=0 PYTHONNOUSERSITE=1 GOENV=off LD_PRELOAD= HOME=/run/assay/home USER=nobody LOGNAME=nobody ASSAY_REPORTS=" + bareReports
	bareNonce   = "nfloor"
)

// bare runs the command of a task's verifier and nothing else, and returns the time that
// the guest agent tells of it: in a new sandbox, which is there already, has the files
// that the clean room of a verification has, the same canaries and modes, and gives the
// suite the same user, environment and kind of place for its reports. The canaries must
// make it fail, and without the reference fix the tests as well. What it has more is that
// setpriv and env are executed: 2 ms.
func (b *bench) bare(ctx context.Context, t task, solved bool) (took time.Duration, err error) {
	patches := []string{t.TestPatch}
	if solved {
		patches = append(patches, t.Patch, t.NonCodePatch)
	}
	session, err := b.patched(ctx, t, patches...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.close(ctx, session)) }()
	for _, c := range t.Assay.Verifier.Canaries {
		nonced := strings.NewReplacer("{nonce}", bareNonce)
		if err := b.command(ctx, session, encoded(nonced.Replace(c.Text))+" >> "+nonced.Replace(c.Path)); err != nil {
			return 0, err
		}
	}
	err = b.command(ctx, session, `
		find . -path ./.git -prune -o -type d -exec chmod 1777 {} +
		chmod 700 .git
		mkdir -p /run/assay/home `+bareReports+`
		chmod 711 /run/assay; chmod 1777 /run/assay/home; chmod 1733 `+bareReports)
	if err != nil {
		return 0, err
	}
	return b.commandTime(ctx, session, "! "+bareUser+" env "+bareEnv+` bash -c "$(`+encoded(t.Assay.Verifier.Command)+`)"`)
}
