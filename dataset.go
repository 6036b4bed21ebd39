package assay

import "time"

// Dataset is a named set of samples.
type Dataset struct {
	Name        string
	Description string
	SampleCount int // of latest versions
	CreatedAt   time.Time
	Answers     Answers
	Judging     Judging
	Validation  DatasetValidation
	Alterations DatasetAlterations
}

// DatasetValidation sums up what is known of the samples of a dataset that were
// validated in their latest versions, by the rules of this GraderVersion.
type DatasetValidation struct {
	Samples         int       // that were
	At              time.Time // of the last run
	ReferenceRuns   int       // of reference fixes
	ReferenceSolved int       // of these
	Flaky           int       // samples of which an expected test flakes that is graded
}

// ValidatedAt is when the dataset was validated; nil while a sample was not.
func (d *Dataset) ValidatedAt() *time.Time {
	if d.Validation.Samples == 0 || d.Validation.Samples < d.SampleCount {
		return nil
	}
	return new(d.Validation.At)
}

// GoldPassRate is the share (0 to 1) of runs of reference fixes that were solved; nil
// when there was none.
func (d *Dataset) GoldPassRate() *float64 {
	if d.Validation.ReferenceRuns == 0 {
		return nil
	}
	return new(float64(d.Validation.ReferenceSolved) / float64(d.Validation.ReferenceRuns))
}

// FlakySamples is how many samples are flaky; nil when none was validated.
func (d *Dataset) FlakySamples() *int {
	if d.Validation.Samples == 0 {
		return nil
	}
	return new(d.Validation.Flaky)
}

// DatasetAlterations sums up what searches found in the tests of a dataset's samples, of those
// that were searched in their latest versions.
type DatasetAlterations struct {
	Searched int // samples that were
	Altered  int // of these, with a fail_to_pass test that can be altered
	Blind    int // of these, where each of them can, and the unsolved code does not tell it
}

// AlterationRounds is how many rounds odds are told for where nobody says how many.
const AlterationRounds = 3

// MedianOdds is the median, over the samples that were searched, of the chance of who guesses
// best to come through AlterationRounds rounds: 1 for a sample that is not blind. Nil when
// none was searched.
func (a *DatasetAlterations) MedianOdds() *float64 {
	const blind, open = 1.0 / (1<<AlterationRounds - 1), 1.0
	switch others := a.Searched - a.Blind; {
	case a.Searched == 0:
		return nil
	case a.Blind > others:
		return new(blind)
	case a.Blind < others:
		return new(open)
	}
	return new((blind + open) / 2)
}

// Sample is one version of one task: the columns of a SWE-bench row, and how to
// run and judge it. Samples never change; a changed row is a new version.
type Sample struct {
	Dataset            string
	ID                 string // unique in its dataset; the row's instance_id
	Version            int    // from 1
	Latest             bool
	VersionDescription string
	Description        string
	CreatedAt          time.Time

	Repo                   string
	BaseCommit             string
	EnvironmentSetupCommit string
	ProblemStatement       string
	HintsText              string
	Patch                  string // the reference fix
	NonCodePatch           string
	TestPatch              string // what the fix did to the tests
	FailToPass             []string
	PassToPass             []string
	FailToFail             []string

	Task Task

	// Answers is the setting of its dataset when the sample was read. It belongs to no
	// version.
	Answers Answers `json:"-"`
	// Judging is what was settled of its dataset then.
	Judging Judging `json:"-"`
	// Withheld marks a copy without the answers.
	Withheld bool `json:"-"`
}

// ReferencePatch returns the whole reference fix of a sample: its patch and its patch
// of files that are not code. It is empty when the sample has none.
func (s *Sample) ReferencePatch() string {
	first := s.Patch
	if first != "" && s.NonCodePatch != "" && first[len(first)-1] != '\n' {
		first += "\n"
	}
	return first + s.NonCodePatch
}
