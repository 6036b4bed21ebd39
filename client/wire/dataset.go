package wire

import (
	"time"

	"assay"
)

// Dataset is a named set of samples.
type Dataset struct {
	Name        string     `json:"name" example:"starter" doc:"Unique name"`
	Description *string    `json:"description" doc:"What it holds"`
	SampleCount int        `json:"sample_count" example:"12" doc:"Number of samples, latest versions only"`
	CreatedAt   *time.Time `json:"created_at" doc:"When it was first imported"`

	Answers assay.Answers `json:"answers" enum:"public,users,operators" example:"users" doc:"Who reads the answers of its samples: everybody, who has a token, or nobody over the API. Not in the Codeset API, as what follows"`

	Judging Judging `json:"judging" doc:"How works on its samples are judged by rounds of altered tests, and what is told of it: what was settled of the dataset, else of the server"`

	ValidatedAt  *time.Time `json:"validated_at" doc:"When the last of its samples was validated: the work tree as it is must not be solved, and with the reference fix it must be. Null while a sample is not validated in its latest version by the rules of this server"`
	GoldPassRate *float64   `json:"gold_pass_rate" minimum:"0" maximum:"1" example:"1" doc:"Share of the runs with a reference fix that were solved, of the samples that are validated. Null when there is none"`
	FlakySamples *int       `json:"flaky_samples" minimum:"0" example:"0" doc:"Samples with a graded test that did not always do the same, of those that are validated. Null when none is"`

	Alterations *DatasetAlterations `json:"alterations" doc:"What is known of alterations of its samples' tests: small edits that make exactly a known test fail with the reference fix, by which a forged verdict is told. Null while no sample was searched, in its latest version by the rules of this server"`
}

// Judging is how works that look solved are judged further, and what is told of it.
type Judging struct {
	Rounds           int             `json:"rounds" minimum:"1" maximum:"8" example:"3" doc:"Rounds of altered tests"`
	MaxOdds          float64         `json:"max_odds" minimum:"0" maximum:"1" example:"1" doc:"The chance of who guesses that more rounds are played for; 1 asks for none"`
	RequireAssurance assay.Assurance `json:"require_assurance" enum:"uncontrolled,controlled_partial,controlled,blind_partial,blind" example:"uncontrolled" doc:"The least assurance of a verdict that a work is solved"`
	Fresh            assay.Fresh     `json:"fresh" enum:"inform,require,off" example:"inform" doc:"What true tests with inputs that nobody has seen are for"`
	Feedback         assay.Feedback  `json:"feedback" enum:"full,verdict" example:"full" doc:"How much is told of a verdict, to all keys and tokens; a key may be told less"`
	Known            assay.Known     `json:"known" enum:"public,private" example:"private" doc:"Who may know the answers from elsewhere: anybody, or nobody who is judged"`
}

// DatasetAlterations are numbers of what searches found; what they found is secret.
type DatasetAlterations struct {
	Searched     int     `json:"searched" minimum:"1" example:"12" doc:"Samples that were searched"`
	Samples      int     `json:"samples" minimum:"0" example:"12" doc:"Of these, samples with a fail_to_pass test that can be altered"`
	BlindSamples int     `json:"blind_samples" minimum:"0" example:"11" doc:"Of these, samples of which each graded fail_to_pass test can be altered so that the unsolved code does not tell it from the true test"`
	MedianOdds   float64 `json:"median_odds" minimum:"0" maximum:"1" example:"0.142857" doc:"Median over the searched samples of the chance of who guesses best to come through three rounds of altered tests: 1/7 for a blind sample, 1 for another"`
}

// Sample is one version of one task.
type Sample struct {
	SampleID           string             `json:"sample_id" example:"gorilla__mux-578" doc:"Unique in its dataset"`
	Dataset            string             `json:"dataset" example:"starter" doc:"Name of the dataset"`
	Version            int                `json:"version" minimum:"1" example:"1" doc:"Version, from 1"`
	Latest             bool               `json:"latest" doc:"Whether no newer version exists"`
	VersionDescription *string            `json:"version_description" doc:"What changed in this version"`
	CreatedAt          *time.Time         `json:"created_at" doc:"When this version was imported"`
	Description        *string            `json:"description" doc:"The task in a sentence"`
	Language           string             `json:"language" example:"go" doc:"Main programming language"`
	Verifier           assay.VerifierKind `json:"verifier" enum:"test_suite,static_analysis,linter,custom" doc:"Kind of tool that judges the work"`

	InstanceID             string   `json:"instance_id" doc:"The sample's id, as the SWE-bench column is called"`
	Repo                   string   `json:"repo" example:"gorilla/mux" doc:"Repository"`
	BaseCommit             string   `json:"base_commit" doc:"Commit before the fix"`
	EnvironmentSetupCommit string   `json:"environment_setup_commit" doc:"Commit from which the environment was built"`
	ProblemStatement       string   `json:"problem_statement" doc:"The issue to solve"`
	HintsText              string   `json:"hints_text" doc:"Hints given with the issue"`
	Patch                  string   `json:"patch" doc:"The reference fix, a unified diff"`
	NonCodePatch           string   `json:"non_code_patch" doc:"What the fix changed beside code"`
	TestPatch              string   `json:"test_patch" doc:"What the fix did to the tests"`
	FailToPass             []string `json:"fail_to_pass" nullable:"false" doc:"Tests that fail before the fix and must pass after it"`
	PassToPass             []string `json:"pass_to_pass" nullable:"false" doc:"Tests that pass before the fix and must go on passing"`
	FailToFail             []string `json:"fail_to_fail" nullable:"false" doc:"Tests that fail before and after the fix"`

	AnswersWithheld bool `json:"answers_withheld" doc:"Whether the patches and the lists of tests are empty because the dataset does not open its answers to the caller. Not in the Codeset API"`
}

// SampleList is a page of samples, or all of them.
type SampleList struct {
	Samples    []Sample `json:"samples" nullable:"false"`
	TotalCount int      `json:"total_count" doc:"Samples that match, on all pages"`
	Page       int      `json:"page" doc:"This page, from 1"`
	PageSize   int      `json:"page_size" doc:"Samples a page; the number of samples when all are returned"`
	HasMore    bool     `json:"has_more" doc:"Whether another page follows"`
}

// Download tells where a packed sample can be fetched.
type Download struct {
	Dataset     string    `json:"dataset" example:"starter"`
	SampleID    string    `json:"sample_id" example:"gorilla__mux-578"`
	Version     int       `json:"version" example:"1"`
	Filename    string    `json:"filename" example:"starter-gorilla__mux-578-v1.tar.gz"`
	SizeBytes   int64     `json:"size_bytes"`
	SHA256      string    `json:"sha256" doc:"Of the file, in hex"`
	DownloadURL string    `json:"download_url" doc:"Serves the file to whoever has the URL, until expires_at"`
	ExpiresAt   time.Time `json:"expires_at"`

	AnswersWithheld bool `json:"answers_withheld" doc:"Whether the file is without the answers and the verifier, because the dataset does not open them to the caller. Not in the Codeset API"`
}
