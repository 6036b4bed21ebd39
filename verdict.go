package assay

import "time"

// GraderVersion names the rules by which verdicts are made. It changes with every
// change that could turn a verdict.
const GraderVersion = "3"

// Verdict is the outcome of a verification whose suite ran, or could not because of the
// work (Evidence.NotRun). It is stored as JSON.
type Verdict struct {
	Tool     VerifierKind  `json:"tool"`
	Grading  Grading       `json:"grading"`
	Solved   bool          `json:"solved"`
	Reason   string        `json:"reason"` // one sentence: why solved or not
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Skipped  int           `json:"skipped"`
	Duration time.Duration `json:"duration"` // of the suite
	ExitCode int           `json:"exit_code"`
	TimedOut bool          `json:"timed_out,omitempty"`

	Passes   []TestOutcome `json:"passes"`
	Failures []TestOutcome `json:"failures"`
	Skips    []TestOutcome `json:"skips"`
	Missing  []string      `json:"missing"` // expected tests that no report names

	// Contradictions are what the pieces of evidence say against each other, a sentence
	// each. With one, nothing is solved.
	Contradictions []string `json:"contradictions,omitempty"`
	// Tampering is what the work did to its own judging. It does not change the verdict.
	Tampering []Tampering `json:"tampering,omitempty"`
	Evidence  Evidence    `json:"evidence"`

	Stdout Output `json:"stdout"` // of the verifier
	Stderr Output `json:"stderr"`
}

// Evidence is what a verdict rests on.
type Evidence struct {
	Grader        string `json:"grader"`         // version of the rules: GraderVersion
	ImageDigest   string `json:"image_digest"`   // "sha256:..."; "" when the runtime has none
	SampleVersion int    `json:"sample_version"` //
	PatchSHA256   string `json:"patch_sha256"`   // of the judged patch as GET .../diff hands it out, in hex; "" when nothing was stored

	// CachedFrom is set of a verdict that was taken from an earlier verification of the same
	// work: its id when it is of the same user, else "sha256:" and the digest of its id.
	CachedFrom string `json:"cached_from,omitempty"`

	SecondRun SecondRun `json:"second_run,omitempty"` // "" when there was none

	// NotRun says that no suite ran, because of the work: Reason says why, and ExitCode is
	// ExitUnknown.
	NotRun bool `json:"not_run,omitempty"`

	// AnswersOpen tells whether the session's user could read the answers of the sample over
	// the API of the server, by the setting of its dataset when the verdict was given.
	AnswersOpen bool `json:"answers_open"`

	// Rounds is how many rounds of altered tests the work was judged by. Without any, this and
	// what follows up to Doubted is empty.
	Rounds int `json:"rounds,omitempty"`
	// Odds is the chance (above 0, at most 1) of who guesses best to come through the rounds
	// with the fail_to_pass test that is guessed most easily; OddsWithRetries is that with
	// this user's works counted in that were not solved, and OddsOfAll that of coming through with all.
	Odds            float64     `json:"odds,omitempty"`
	OddsWithRetries float64     `json:"odds_with_retries,omitempty"`
	OddsOfAll       float64     `json:"odds_of_all,omitempty"`
	Covered         Covered     `json:"covered,omitzero"`
	Exposure        Exposure    `json:"exposure,omitzero"` // this play included
	Assurance       Assurance   `json:"assurance,omitempty"`
	Fresh           FreshTruths `json:"fresh,omitzero"`
	Doubted         int         `json:"doubted,omitempty"` // fail_to_pass tests that count as not covered, since the work passes altered inputs of them

	Expected Expected `json:"expected"`
	// LeftOut are the topmost names of what was no part of the work, because the image's
	// .gitignore files ignore it: a directory ends with "/". At most 100, and then how many more.
	LeftOut     []string  `json:"left_out,omitempty"`
	Quarantined []string  `json:"quarantined,omitempty"` // expected tests that were not graded
	Resources   Resource  `json:"resources"`
	Durations   Durations `json:"durations"`
}

// SecondRun is what came of running the suite with other names for its tests.
type SecondRun string

// The outcomes of a second run.
const (
	SecondRunAgreed     SecondRun = "agreed"
	SecondRunDisagreed  SecondRun = "disagreed"  // what passed under its name did not pass under another: not solved
	SecondRunImpossible SecondRun = "impossible" // the tests could not be found, or the reference fix does not pass under other names either
)

// Expected is the lists that a verdict was graded by.
type Expected struct {
	FailToPass []string `json:"fail_to_pass"`
	PassToPass []string `json:"pass_to_pass"`
	FailToFail []string `json:"fail_to_fail"`
}

// Resource is what the clean sandbox used at most.
type Resource struct {
	CPU             time.Duration `json:"cpu"` // in all
	MemoryPeakBytes int64         `json:"memory_peak_bytes"`
	OOMKills        int64         `json:"oom_kills"`
}

// Durations is where the time of a verification went.
type Durations struct {
	Create time.Duration `json:"create"` // of the clean sandbox
	Lay    time.Duration `json:"lay"`    // of the work and of the restored tests
	Suite  time.Duration `json:"suite"`
	Grade  time.Duration `json:"grade"` // reading the reports included
}

// Tampering is one thing that the work did to its own judging.
type Tampering struct {
	Kind   TamperingKind `json:"kind"`
	Path   string        `json:"path,omitempty"` // relative to the work tree
	Detail string        `json:"detail"`         // a sentence
}

// TamperingKind is a kind of tampering.
type TamperingKind string

// The kinds of tampering.
const (
	TamperingAdded    TamperingKind = "added"    // a test was added, or moved: it stays behind. It is no alarm
	TamperingTest     TamperingKind = "test"     // a restored test or its data was changed
	TamperingSteering TamperingKind = "steering" // a file that steers a test runner was changed
	TamperingReport   TamperingKind = "report"   // a report was planted or replaced
	TamperingEscape   TamperingKind = "escape"   // a change that leads out of the work tree
	TamperingCode     TamperingKind = "code"     // code that reaches for the runner that judges it
	TamperingHistory  TamperingKind = "history"  // the repository's history was looked into, or changed
	TamperingForgery  TamperingKind = "forgery"  // evidence that was made up: a canary that passed, counts that disagree
)

// Alarm tells whether tampering of a kind is more than honest work does every day. Tests of
// one's own are none.
func (k TamperingKind) Alarm() bool { return k != TamperingAdded }

// TestOutcome is what one test did.
type TestOutcome struct {
	Name     string        `json:"name"`
	Expected string        `json:"expected,omitempty"` // fail_to_pass, pass_to_pass, fail_to_fail, or "" when in no list
	Duration time.Duration `json:"duration,omitempty"`
	Message  string        `json:"message,omitempty"`
	Details  string        `json:"details,omitempty"`
}
