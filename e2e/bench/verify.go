package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"assay/client/wire"
)

// verifyRounds is how often a session is verified.
const verifyRounds = 10

// verify measures a verification, from POST to verdict, against the suite alone: see
// bare.
func (b *bench) verify(ctx context.Context) ([]Result, error) {
	t, err := b.task(verifySample)
	if err != nil {
		return nil, err
	}
	solved, err := b.patched(ctx, t, t.Patch)
	if err != nil {
		return nil, err
	}
	unsolved, err := b.open(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	floors, judged, err := b.verifyByTurns(ctx, t, work{solved, true}, work{unsolved, false})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(b.close(ctx, solved), b.close(ctx, unsolved)); err != nil {
		return nil, err
	}
	rounds, err := b.verifyWithRounds(ctx, t)
	if err != nil {
		return nil, err
	}
	const name = "verify"
	return append(append([]Result{
		timed(name+bareFloor, floors[0], judged[0].whole).atMostMore(verifyOverhead),
		timed(name+", nothing solved"+bareFloor, floors[1], judged[1].whole).atMostMore(verifyOverhead),
	}, rounds...), judged[0].parts(name)...), nil
}

// verifyOverhead is what a verification may take beside its suite, in milliseconds.
const verifyOverhead = 150

// bareFloor is the end of the names of rows whose floor is bare.
const bareFloor = " / the suite's command in an identical sandbox"

// work is what a session has made of a task.
type work struct {
	session string
	solved  bool
}

// verifyByTurns verifies sessions of a task again and again, by turns with bare of the same
// work. Its results are in the order of the works.
func (b *bench) verifyByTurns(ctx context.Context, t task, works ...work) (floors [][]float64, judged []judgements, err error) {
	const warm = 1
	judged = make([]judgements, len(works))
	var bare, verified []func(context.Context) (time.Duration, error)
	for i, w := range works {
		round := 0
		bare = append(bare, func(ctx context.Context) (time.Duration, error) { return b.bare(ctx, t, w.solved) })
		verified = append(verified, timing(func(ctx context.Context) error {
			j, err := b.judge(ctx, w.session)
			if err == nil {
				err = j.mustBe(w.solved)
			}
			if round++; err == nil && round > warm {
				judged[i].add(j)
			}
			return err
		}))
	}
	times, err := byTurns(ctx, warm, verifyRounds, append(bare, verified...)...)
	if err != nil {
		return nil, nil, err
	}
	return times[:len(works)], judged, nil
}

// judgement is one verification, as its client saw it.
type judgement struct {
	*wire.Job
	accepted time.Duration // from POST to its answer
	whole    time.Duration // from POST to the verdict
}

// judge verifies a session.
func (b *bench) judge(ctx context.Context, session string) (judgement, error) {
	began := time.Now()
	started, err := b.api.Verify(ctx, session)
	if err != nil {
		return judgement{}, err
	}
	accepted := time.Since(began)
	job, err := b.api.WaitJob(ctx, session, started.JobID)
	return judgement{Job: job, accepted: accepted, whole: time.Since(began)}, err
}

// mustBe tells why a verification did not find its work to be solved, or unsolved.
func (j judgement) mustBe(solved bool) error {
	switch {
	case j.Result == nil && j.Error != nil:
		return fmt.Errorf("sample %s could not be judged: %s: %s", j.SampleID, j.Error.Code, j.Error.Message)
	case j.Result == nil:
		return fmt.Errorf("a verification of sample %s is %s", j.SampleID, j.Status)
	case j.Result.IsSuccess != solved:
		return fmt.Errorf("sample %s: solved is %t, and not %t: %s", j.SampleID, j.Result.IsSuccess, solved, j.Result.Reason)
	}
	return nil
}

// judgements are the times of verifications, in milliseconds.
type judgements struct {
	accepted, whole          []float64
	beside                   []float64 // whole, less the suite of the same verification
	create, lay, grade, rest []float64 // what beside is made of
}

func (all *judgements) add(j judgement) {
	d := j.Result.Evidence.Durations
	whole := milliseconds(j.whole)
	beside := whole - 1000*d.SuiteSeconds
	all.accepted = append(all.accepted, milliseconds(j.accepted))
	all.whole, all.beside = append(all.whole, whole), append(all.beside, beside)
	all.create, all.lay, all.grade = append(all.create, 1000*d.CreateSeconds), append(all.lay, 1000*d.LaySeconds), append(all.grade, 1000*d.GradeSeconds)
	all.rest = append(all.rest, beside-1000*(d.CreateSeconds+d.LaySeconds+d.GradeSeconds))
}

// parts tells what verifications take beside their suites, by their own evidence.
func (all *judgements) parts(name string) []Result {
	return []Result{
		timed(name+" less its own suite", nil, all.beside),
		timed(name+": making the clean sandbox", nil, all.create),
		timed(name+": laying the work, canaries, protection", nil, all.lay),
		timed(name+": reading the reports and grading", nil, all.grade),
		timed(name+": requests, export, patch, storing, killing", nil, all.rest),
	}
}
