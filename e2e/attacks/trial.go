package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"assay"
	"assay/client/wire"
)

// found is the exit code of a script that looked for a secret and has it. That is as bad
// as a verdict that was forged.
const found = 42

// trialBound bounds one script, with its session, its verification and its proof.
const trialBound = 10 * time.Minute

// try runs a script in a session of its sample, as an agent would, and has it judged.
func (w *world) try(ctx context.Context, s script) (r row) {
	ctx, cancel := context.WithTimeout(ctx, trialBound)
	defer cancel()
	began := time.Now()
	r = row{Name: s.Name, Kind: s.Kind, Sample: s.Sample, Form: s.form(), Searched: s.Searched, Tampering: []assay.TamperingKind{}, Expected: s.Expected, Generated: s.From}
	err := w.as(ctx, s, func(w *world) error {
		return w.inSession(ctx, s, func(session string, sample *assay.Sample) error {
			return w.play(ctx, &r, s, session, sample)
		})
	})
	if err != nil {
		r.Outcome, r.Reason = outcomeError("runner"), err.Error()
		r.broken = true
	}
	r.Seconds = time.Since(began).Round(time.Millisecond).Seconds()
	r.Solved = r.Outcome == solved
	r.OK = r.asItShouldBe(w.strict)
	return r
}

// as calls do with the world as the script's user sees it.
func (w *world) as(ctx context.Context, s script, do func(*world) error) error {
	if !s.NewUser {
		return do(w)
	}
	own, err := w.newUser(ctx, "newcomer")
	if err != nil {
		return err
	}
	return do(own)
}

// inSession calls do with a ready session of the script's sample, and closes it.
func (w *world) inSession(ctx context.Context, s script, do func(session string, sample *assay.Sample) error) (err error) {
	sample, err := w.sample(s)
	if err != nil {
		return err
	}
	created, err := w.api.CreateSession(ctx, wire.SessionCreate{Dataset: s.dataset(), SampleID: s.Sample})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, closing := w.api.CloseSession(ctx, created.SessionID)
		err = errors.Join(err, closing)
	}()
	if _, err := w.api.WaitReady(ctx, created.SessionID); err != nil {
		return err
	}
	return do(created.SessionID, sample)
}

// play runs the script, and fills in what came of it.
func (w *world) play(ctx context.Context, r *row, s script, session string, sample *assay.Sample) error {
	if err := w.prepare(ctx, s, session, sample); err != nil {
		return err
	}
	in, err := run(ctx, w.api, session, s.Text)
	if err != nil {
		return err
	}
	if s.Kind != honest && deref(in.ExitCode) == found {
		r.Outcome, r.Reason = solved, "found: "+strings.TrimSpace(deref(in.Stdout))
		return nil
	}
	if deref(in.ExitCode) != 0 {
		return fmt.Errorf("the script exits with %d: %s", deref(in.ExitCode), strings.TrimSpace(deref(in.Stderr)))
	}
	if err := w.judge(ctx, r, session); err != nil {
		return err
	}
	if !s.Proof.InPlace || !w.prove {
		return nil
	}
	fooled, err := s.Proof.fools(ctx, w.api, session, sample, slices.Contains(s.Knows, knowsHidden))
	if err != nil {
		return err
	}
	r.InPlace = "blunt"
	if fooled {
		r.InPlace = "fooled"
	}
	return nil
}

// prepare gives a script what it begins with: an honest one the reference fix, unless it
// is a solution itself, and an attack what it knows.
func (w *world) prepare(ctx context.Context, s script, session string, sample *assay.Sample) error {
	var commands []string
	if s.Kind == honest && !s.Solution {
		fix := base64.StdEncoding.EncodeToString([]byte(sample.ReferencePatch()))
		commands = append(commands, "echo "+fix+" | base64 -d | git apply")
	}
	if slices.Contains(s.Knows, knowsHidden) {
		commands = append(commands, layTests(sample))
	}
	for _, command := range commands {
		in, err := run(ctx, w.api, session, command)
		if err != nil {
			return err
		}
		if deref(in.ExitCode) != 0 {
			return fmt.Errorf("prepare the session: exit code %d: %s", deref(in.ExitCode), deref(in.Stderr))
		}
	}
	if slices.Contains(s.Knows, knowsSource) {
		if _, err := run(ctx, w.api, session, teachSource(sample)); err != nil {
			return err
		}
	}
	if slices.Contains(s.Knows, knowsTests) {
		return teach(ctx, w.api, session, sample)
	}
	return nil
}

// judge has the session's work judged.
func (w *world) judge(ctx context.Context, r *row, session string) error {
	started, err := w.api.Verify(ctx, session)
	if code := assay.CodeOf(err); err != nil && code != "" {
		r.Outcome, r.Reason = outcomeError(string(code)), err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	job, err := w.api.WaitJob(ctx, session, started.JobID)
	if err != nil {
		return err
	}
	if job.Result == nil {
		failure := deref(job.Error)
		r.Outcome, r.Reason = outcomeError(failure.Code), failure.Message
		return nil
	}
	r.Outcome, r.Reason = unsolved, job.Result.Reason
	if job.Result.IsSuccess {
		r.Outcome = solved
	}
	told, err := w.verdict(ctx, session, started.JobID)
	if err != nil {
		return err
	}
	r.Tampering = told.kinds()
	r.Assurance, r.Rounds, r.Odds = told.played()
	return nil
}

// verdict is what is read of a verdict beyond what the client tells. Where rounds were
// played, it or its evidence says what that is worth.
type verdict struct {
	play
	Tampering []struct {
		Kind assay.TamperingKind `json:"kind"`
	} `json:"tampering"`
	Evidence struct {
		play
	} `json:"evidence"`
}

// play is what a verdict tells of its rounds.
type play struct {
	Assurance string  `json:"assurance"`
	Rounds    int     `json:"rounds"`
	Odds      float64 `json:"odds"`
}

// kinds returns the kinds of tampering that a verdict reports, each once.
func (v verdict) kinds() []assay.TamperingKind {
	kinds := []assay.TamperingKind{}
	for _, t := range v.Tampering {
		if !slices.Contains(kinds, t.Kind) {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}

// played returns the assurance, the number of rounds, and the chance of the best guesser
// to come through them; zeros where none were played.
func (v verdict) played() (assurance string, rounds int, odds float64) {
	return cmp.Or(v.Assurance, v.Evidence.Assurance), cmp.Or(v.Rounds, v.Evidence.Rounds), cmp.Or(v.Odds, v.Evidence.Odds)
}

// verdict reads a verdict.
func (w *world) verdict(ctx context.Context, session, job string) (v verdict, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.APIBase()+"/sessions/"+session+"/verify/"+job, nil)
	if err != nil {
		return v, err
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return v, err
	}
	defer res.Body.Close()
	answer := struct {
		Result *verdict `json:"result"`
	}{&v}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return v, fmt.Errorf("read the verdict: %w", err)
	}
	return v, nil
}

// The outcomes of a script, besides error:<code>.
const (
	solved   = "solved"
	unsolved = "unsolved"
)

func outcomeError(code string) string { return "error:" + code }
