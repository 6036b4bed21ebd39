package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// playedRounds is how many rounds a solved work is judged by: the default.
	playedRounds = 3
	// roundsTimes is how often that is measured.
	roundsTimes = 5
)

// verifyWithRounds measures the verification of solved work where alterations of the tests are
// known, against as many bare suites one after the other: the plain run's, and one a round.
func (b *bench) verifyWithRounds(ctx context.Context, t task) ([]Result, error) {
	kinds := []string{"whole", "narrow"}
	if t.Assay.Verifier.CommandFor == "" {
		say("sample %s has no narrow command", t.ID)
		kinds = kinds[:1]
	}
	turns := []func(context.Context) (time.Duration, error){func(ctx context.Context) (all time.Duration, err error) {
		for range 1 + playedRounds {
			took, err := b.bare(ctx, t, true)
			if err != nil {
				return 0, err
			}
			all += took
		}
		return all, nil
	}}
	var closing []func() error
	for _, kind := range kinds {
		if err := b.addSearched(ctx, kind); err != nil {
			return nil, err
		}
		session, err := b.patchedIn(ctx, searchedDataset(kind), t, t.Patch)
		if err != nil {
			return nil, err
		}
		closing = append(closing, func() error { return b.close(ctx, session) })
		turns = append(turns, timing(func(ctx context.Context) error {
			j, err := b.judge(ctx, session)
			if err == nil {
				err = j.mustBe(true)
			}
			if err == nil && j.Result.Evidence.Rounds != playedRounds {
				err = fmt.Errorf("sample %s was judged by %d rounds, not %d", t.ID, j.Result.Evidence.Rounds, playedRounds)
			}
			return err
		}))
	}
	times, err := byTurns(ctx, 1, roundsTimes, turns...)
	for _, c := range closing {
		err = errors.Join(err, c())
	}
	if err != nil {
		return nil, err
	}
	var results []Result
	for i, kind := range kinds {
		results = append(results, timed(fmt.Sprintf("verify, solved, %d rounds, %s / %d bare suites", playedRounds, kind, 1+playedRounds), times[0], times[1+i]))
	}
	return results, nil
}

// searchedDataset is the dataset of the verified sample in which it is searched for
// alterations: verifications of the others are to have no rounds.
func searchedDataset(kind string) string { return "searched-" + kind }

// addSearched imports that dataset and searches it. Where it is whole, the sample has no
// command that runs some of its tests alone.
func (b *bench) addSearched(ctx context.Context, kind string) error {
	dir := filepath.Join(b.dir, searchedDataset(kind))
	if err := b.writeSearched(dir, kind); err != nil {
		return fmt.Errorf("make the dataset %s: %w", searchedDataset(kind), err)
	}
	if _, err := b.program.Run(ctx, "dataset", "import", dir); err != nil {
		return err
	}
	say("searching alterations of %s, %s", verifySample, kind)
	_, err := b.program.Run(ctx, "dataset", "alterations", searchedDataset(kind))
	return err
}

func (b *bench) writeSearched(dir, kind string) error {
	manifest, err := os.ReadFile(filepath.Join(b.datasetDir(), "dataset.yaml"))
	if err != nil {
		return err
	}
	rows, err := os.ReadFile(filepath.Join(b.datasetDir(), "samples.jsonl"))
	if err != nil {
		return err
	}
	row, err := searchedRow(string(rows), kind == "narrow")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	text := strings.Replace(string(manifest), "name: "+dataset+"\n", "name: "+searchedDataset(kind)+"\n", 1)
	return errors.Join(os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte(text), 0o600), os.WriteFile(filepath.Join(dir, "samples.jsonl"), row, 0o600))
}

// searchedRow returns the verified sample's row among rows.
func searchedRow(rows string, narrow bool) ([]byte, error) {
	for line := range strings.Lines(rows) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, err
		}
		if row["instance_id"] != verifySample {
			continue
		}
		own, _ := row["assay"].(map[string]any)
		verifier, _ := own["verifier"].(map[string]any)
		if verifier == nil {
			break
		}
		if !narrow {
			verifier["command_for"] = "" // also that of the dataset's defaults
		}
		return json.Marshal(row)
	}
	return nil, fmt.Errorf("there is no sample %s with a verifier of its own", verifySample)
}
