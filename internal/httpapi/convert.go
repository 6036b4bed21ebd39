package httpapi

import (
	"cmp"
	"time"

	"assay"
	"assay/client/wire"
)

// at is a time as it goes over the wire: UTC, with a Z, in microseconds, which is what
// clients in Python keep.
func at(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func atOrNull(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	return new(at(*t))
}

// textOrNull is null for nothing.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// listOf is never null.
func listOf(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func wireFailure(f *assay.Failure) *wire.Failure {
	if f == nil {
		return nil
	}
	return &wire.Failure{Code: string(f.Code), Message: f.Message}
}

func wireDataset(d *assay.Dataset) wire.Dataset {
	return wire.Dataset{
		Name:        d.Name,
		Description: textOrNull(d.Description),
		SampleCount: d.SampleCount,
		CreatedAt:   atOrNull(&d.CreatedAt),
		Answers:     d.Answers,
		Judging:     wireJudging(d.Judging),

		ValidatedAt:  atOrNull(d.ValidatedAt()),
		GoldPassRate: d.GoldPassRate(),
		FlakySamples: d.FlakySamples(),
		Alterations:  wireAlterations(&d.Alterations),
	}
}

func wireJudging(j assay.Judging) wire.Judging {
	return wire.Judging{
		Rounds: j.Rounds, MaxOdds: j.MaxOdds, RequireAssurance: j.RequireAssurance,
		Fresh: j.Fresh, Feedback: j.Feedback, Known: j.Known,
	}
}

// wireAlterations is null while nothing was searched.
func wireAlterations(a *assay.DatasetAlterations) *wire.DatasetAlterations {
	if a.Searched == 0 {
		return nil
	}
	return &wire.DatasetAlterations{Searched: a.Searched, Samples: a.Altered, BlindSamples: a.Blind, MedianOdds: *a.MedianOdds()}
}

func wireSample(s *assay.Sample) wire.Sample {
	return wire.Sample{
		SampleID: s.ID, Dataset: s.Dataset, Version: s.Version, Latest: s.Latest,
		VersionDescription: textOrNull(s.VersionDescription),
		CreatedAt:          atOrNull(&s.CreatedAt),
		Description:        textOrNull(s.Description),
		Language:           s.Task.Language,
		Verifier:           s.Task.Verifier.Kind,
		InstanceID:         s.ID, Repo: s.Repo,
		BaseCommit: s.BaseCommit, EnvironmentSetupCommit: s.EnvironmentSetupCommit,
		ProblemStatement: s.ProblemStatement, HintsText: s.HintsText,
		Patch: s.Patch, NonCodePatch: s.NonCodePatch, TestPatch: s.TestPatch,
		FailToPass: listOf(s.FailToPass), PassToPass: listOf(s.PassToPass), FailToFail: listOf(s.FailToFail),
		AnswersWithheld: s.Withheld,
	}
}

func (a *API) wireSession(s *assay.Session) wire.Session {
	seconds := s.Duration(a.cfg.Now()).Seconds()
	return wire.Session{
		SessionID: s.ID, UserID: s.UserID,
		Dataset: s.Dataset, SampleID: s.SampleID, SampleVersion: s.SampleVersion,
		Status:          s.Status,
		RequestedAt:     at(s.RequestedAt),
		CreatedAt:       atOrNull(s.ReadyAt),
		ExpiresAt:       at(s.ExpiresAt),
		DurationSeconds: &seconds,
		StatusDetail:    statusDetail(s),
		ContainerInfo:   a.containerOf(s),
		Error:           wireFailure(s.Error),
		CostMicroUSD:    int64(s.Cost(a.cfg.Now())),
	}
}

// statusDetail tells what a session's status does not.
func statusDetail(s *assay.Session) *string {
	if s.Status != assay.SessionReady || s.UnreachableAt == nil {
		return nil
	}
	return new("unreachable")
}

// containerOf is the sandbox of a session; none before one is made.
func (a *API) containerOf(s *assay.Session) *wire.ContainerInfo {
	if s.Handle == "" {
		return nil
	}
	info := &wire.ContainerInfo{
		ContainerName: s.ID,
		SampleID:      s.SampleID,
		Status:        "stopped",
		CreatedAt:     at(s.RequestedAt),
		ExpiresAt:     at(s.ExpiresAt),
		Location:      s.Location,
		ServiceURL:    a.cfg.BaseURL + wire.BasePath + "/sessions/" + s.ID,
	}
	switch s.Status {
	case assay.SessionCreating:
		info.Status = "starting"
	case assay.SessionReady:
		info.Status = "running"
	}
	if s.ReadyAt != nil {
		info.CreatedAt = at(*s.ReadyAt)
	}
	return info
}

func wireInteraction(in *assay.Interaction) wire.Interaction {
	w := wire.Interaction{
		InteractionID: in.ID,
		SessionID:     in.SessionID,
		CreatedAt:     at(in.CreatedAt),
		Status:        in.Status,
		Message:       textOrNull(in.Message),
	}
	if !in.Status.Final() {
		return w
	}
	w.ExitCode = new(in.ExitCode)
	w.Success = new(in.ExitCode == 0)
	w.ExecutionTimeSeconds = new(in.Duration.Seconds())
	w.Stdout, w.StdoutBytes, w.StdoutTruncated = &in.Stdout.Text, in.Stdout.Bytes, in.Stdout.Truncated
	w.Stderr, w.StderrBytes, w.StderrTruncated = &in.Stderr.Text, in.Stderr.Bytes, in.Stderr.Truncated
	return w
}

func wireJob(v *assay.Verification) wire.Job {
	return wire.Job{
		JobID: v.ID, SessionID: v.SessionID, SampleID: v.SampleID,
		Status:      v.Status,
		CreatedAt:   at(v.CreatedAt),
		StartedAt:   atOrNull(v.StartedAt),
		CompletedAt: atOrNull(v.CompletedAt),
		Error:       wireFailure(v.Failure),
		Result:      wireResult(v.Verdict),

		Withdrawn:       wireWithdrawal(v.Withdrawn),
		DetailsWithheld: v.Withheld,
	}
}

func wireWithdrawal(w *assay.Withdrawal) *wire.Withdrawal {
	if w == nil {
		return nil
	}
	return &wire.Withdrawal{At: at(w.At), Reason: w.Reason}
}

func wireResult(v *assay.Verdict) *wire.JobResult {
	if v == nil {
		return nil
	}
	return &wire.JobResult{
		Tool:      wire.ToolTestSuite,
		IsSuccess: v.Solved,
		Total:     v.Passed + v.Failed + v.Skipped,
		Passed:    v.Passed, Failed: v.Failed, Skipped: v.Skipped,
		ExecutionDurationSeconds: v.Duration.Seconds(),
		Failures:                 wireOutcomes(v.Failures), Passes: wireOutcomes(v.Passes), Skips: wireOutcomes(v.Skips),
		Stdout: v.Stdout.Text, StdoutBytes: v.Stdout.Bytes, StdoutTruncated: v.Stdout.Truncated,
		Stderr: v.Stderr.Text, StderrBytes: v.Stderr.Bytes, StderrTruncated: v.Stderr.Truncated,
		Reason: v.Reason, Grading: v.Grading, Missing: listOf(v.Missing),
		ExitCode: v.ExitCode, TimedOut: v.TimedOut,
		Contradictions: listOf(v.Contradictions),
		Tampering:      wireTampering(v.Tampering),
		Evidence:       wireEvidence(&v.Evidence),
	}
}

func wireTampering(tampering []assay.Tampering) []wire.Tampering {
	list := make([]wire.Tampering, len(tampering))
	for i, t := range tampering {
		list[i] = wire.Tampering{Kind: t.Kind, Path: t.Path, Detail: t.Detail}
	}
	return list
}

func wireEvidence(e *assay.Evidence) wire.Evidence {
	return wire.Evidence{
		Grader: e.Grader, ImageDigest: e.ImageDigest, SampleVersion: e.SampleVersion, PatchSHA256: e.PatchSHA256, CachedFrom: e.CachedFrom, SecondRun: e.SecondRun, NotRun: e.NotRun, AnswersOpen: e.AnswersOpen,
		Rounds: e.Rounds, Odds: e.Odds, OddsWithRetries: e.OddsWithRetries, OddsOfAll: e.OddsOfAll, Assurance: e.Assurance, Doubted: e.Doubted,
		Covered: orAbsent(wire.Covered(e.Covered)), Exposure: orAbsent(wire.Exposure(e.Exposure)), Fresh: orAbsent(wire.FreshTruths(e.Fresh)),
		Expected: wire.Expected{
			FailToPass: listOf(e.Expected.FailToPass), PassToPass: listOf(e.Expected.PassToPass), FailToFail: listOf(e.Expected.FailToFail),
		},
		LeftOut:     listOf(e.LeftOut),
		Quarantined: listOf(e.Quarantined),
		Resources:   wire.Usage{CPUSeconds: e.Resources.CPU.Seconds(), MemoryPeakBytes: e.Resources.MemoryPeakBytes, OOMKills: e.Resources.OOMKills},
		Durations: wire.Durations{
			CreateSeconds: e.Durations.Create.Seconds(), LaySeconds: e.Durations.Lay.Seconds(),
			SuiteSeconds: e.Durations.Suite.Seconds(), GradeSeconds: e.Durations.Grade.Seconds(),
		},
	}
}

// orAbsent is nil for nothing.
func orAbsent[T comparable](v T) *T {
	var nothing T
	if v == nothing {
		return nil
	}
	return &v
}

func wireOutcomes(outcomes []assay.TestOutcome) []wire.TestOutcome {
	list := make([]wire.TestOutcome, len(outcomes))
	for i, o := range outcomes {
		list[i] = wire.TestOutcome{
			Name: o.Name, Expected: o.Expected, DurationSeconds: o.Duration.Seconds(),
			Message: o.Message, Details: o.Details,
		}
	}
	return list
}

func (a *API) wireUser(u *assay.User, keys []*assay.APIKey) wire.User {
	list := make([]wire.APIKey, len(keys))
	for i, k := range keys {
		list[i] = a.wireKey(k, k.Hint+"...")
	}
	return wire.User{
		UserID: u.ID, Name: u.Name, Email: u.Email,
		GitHubID:        textOrNull(u.GitHubID),
		APIKeys:         list,
		CreatedAt:       at(u.CreatedAt),
		LastLoginAt:     atOrNull(u.LastLoginAt),
		IsActive:        u.Active,
		TermsAcceptedAt: atOrNull(u.TermsAcceptedAt),
	}
}

// wireKey is a key of which shown may be seen: the secret itself, once.
func (a *API) wireKey(k *assay.APIKey, shown string) wire.APIKey {
	return wire.APIKey{
		KeyID:      k.ID,
		Key:        shown,
		Name:       textOrNull(k.Name),
		CreatedAt:  at(k.CreatedAt),
		ExpiresAt:  atOrNull(k.ExpiresAt),
		IsActive:   k.Active(a.cfg.Now()),
		LastUsedAt: atOrNull(k.LastUsedAt),
		Feedback:   cmp.Or(k.Feedback, assay.FeedbackFull),
	}
}
