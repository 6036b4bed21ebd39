package assay

import "time"

// Dataset is a named set of samples.
type Dataset struct {
	Name        string
	Description string
	SampleCount int // of latest versions
	CreatedAt   time.Time
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
}
