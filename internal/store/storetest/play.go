package storetest

import (
	"assay"
	"assay/internal/verification"
)

var playTests = []test{
	{"a play goes forward, and ends once", testPlayStates},
	{"a play ends with the verdict, in one transaction", testPlayOfVerdict},
	{"who cancels rounds is refused, and our errors count nothing", testPlayOfEnds},
	{"plays are counted for a user and a version of a sample", testExposure},
	{"who is told details is known by user and version of a sample", testDetailsTold},
}

// exposed checks what is counted for the user of a verification on its sample.
func (f fixture) exposed(v *assay.Verification, want assay.Exposure) {
	f.Helper()
	got, err := f.Exposure(f.ctx, v.UserID, v.Dataset, v.SampleID, v.SampleVersion)
	f.must(err)
	if got != want {
		f.Errorf("%s has %+v on %s, want %+v", v.UserID, got, v.SampleID, want)
	}
}

// noted notes a state, and checks which one holds.
func (f fixture) noted(v *assay.Verification, state, want assay.PlayState) {
	f.Helper()
	got, err := f.NotePlay(f.ctx, v.ID, state, at)
	f.must(err)
	if got != want {
		f.Errorf("after %s the play is %s, want %s", state, got, want)
	}
}

func testPlayStates(f fixture) {
	all := []assay.PlayState{assay.PlayBegun, assay.PlayReached, assay.PlaySolved, assay.PlayRefused, assay.PlayVoid}
	s := f.ready()
	for _, from := range all {
		for _, to := range all {
			v := f.pending(s)
			f.noted(v, from, from)
			want := from
			if from.CanBecome(to) {
				want = to
			}
			f.noted(v, to, want)
			f.noted(v, assay.PlayBegun, want) // another attempt
		}
	}
	_, err := f.NotePlay(f.ctx, "ver_none", assay.PlayBegun, at)
	f.code(err, assay.CodeJobNotFound)
}

// ended moves a verification to its end.
func (f fixture) ended(v *assay.Verification, change verification.Change) bool {
	f.Helper()
	_, _, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationPending, verification.Change{Status: assay.VerificationStarting})
	f.must(err)
	_, moved, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationStarting, change)
	f.must(err)
	return moved
}

func testPlayOfVerdict(f fixture) {
	s := f.ready()
	solved, refused, unsolved := f.pending(s), f.pending(s), f.pending(s)
	for _, v := range []*assay.Verification{solved, refused, unsolved} {
		f.noted(v, assay.PlayBegun, assay.PlayBegun)
	}
	f.noted(solved, assay.PlayReached, assay.PlayReached)
	f.noted(refused, assay.PlayReached, assay.PlayReached)

	// A move that does not happen leaves the play.
	completed := verification.Change{Status: assay.VerificationCompleted, CompletedAt: &kept, Verdict: &assay.Verdict{}, Play: assay.PlayRefused}
	_, moved, err := f.MoveVerification(f.ctx, refused.ID, assay.VerificationRunning, completed)
	f.must(err)
	if moved {
		f.Error("it was not running")
	}
	f.exposed(solved, assay.Exposure{Plays: 3, Reached: 2})

	f.ended(refused, completed)
	completed.Play = assay.PlaySolved
	f.ended(solved, completed)
	completed.Play = ""
	f.ended(unsolved, completed)
	f.exposed(solved, assay.Exposure{Plays: 3, Reached: 2, Refused: 1})
	f.noted(refused, assay.PlaySolved, assay.PlayRefused)
	f.noted(unsolved, assay.PlayBegun, assay.PlayBegun)
}

func testPlayOfEnds(f fixture) {
	for _, tt := range []struct {
		state  assay.PlayState
		status assay.VerificationStatus
		want   assay.PlayState
	}{
		{assay.PlayBegun, assay.VerificationCancelled, assay.PlayBegun},
		{assay.PlayReached, assay.VerificationCancelled, assay.PlayRefused},
		{assay.PlayBegun, assay.VerificationError, assay.PlayVoid},
		{assay.PlayReached, assay.VerificationError, assay.PlayVoid},
		{assay.PlayReached, assay.VerificationPending, assay.PlayReached}, // the server was lost
		{assay.PlaySolved, assay.VerificationError, assay.PlaySolved},
		{assay.PlayRefused, assay.VerificationError, assay.PlayRefused},
		{"", assay.VerificationError, ""},
		{"", assay.VerificationCancelled, ""},
	} {
		v := f.pending(f.ready())
		if tt.state != "" {
			f.noted(v, tt.state, tt.state)
		}
		if !f.ended(v, verification.Change{Status: tt.status}) {
			f.Errorf("it did not become %s", tt.status)
		}
		want := assay.Exposure{Plays: 1}
		switch tt.want {
		case "", assay.PlayVoid:
			want.Plays = 0
		case assay.PlayReached, assay.PlaySolved:
			want.Reached = 1
		case assay.PlayRefused:
			want.Reached, want.Refused = 1, 1
		}
		f.exposed(v, want)
	}
}

func testExposure(f fixture) {
	s, other := f.ready(), f.ready()
	mine := f.pending(s)
	f.exposed(mine, assay.Exposure{})
	f.noted(mine, assay.PlayReached, assay.PlayReached)
	f.noted(f.pending(s), assay.PlayRefused, assay.PlayRefused)
	f.noted(f.pending(s), assay.PlayVoid, assay.PlayVoid)
	f.exposed(mine, assay.Exposure{Plays: 2, Reached: 2, Refused: 1})

	theirs := f.pending(other) // of another user
	f.exposed(theirs, assay.Exposure{})
	f.noted(theirs, assay.PlayBegun, assay.PlayBegun)
	f.exposed(theirs, assay.Exposure{Plays: 1})
	f.exposed(mine, assay.Exposure{Plays: 2, Reached: 2, Refused: 1})

	elsewhere := *mine
	elsewhere.SampleVersion++
	f.exposed(&elsewhere, assay.Exposure{})
	elsewhere.SampleVersion, elsewhere.SampleID = mine.SampleVersion, "another"
	f.exposed(&elsewhere, assay.Exposure{})
	got, err := f.Exposure(f.ctx, mine.UserID, "another", mine.SampleID, mine.SampleVersion)
	f.must(err)
	if got != (assay.Exposure{}) {
		f.Errorf("in another dataset %+v are counted", got)
	}
}

func testDetailsTold(f fixture) {
	s, other := f.ready(), f.ready()
	told := func(s *assay.Session, version int) bool {
		f.Helper()
		told, err := f.DetailsTold(f.ctx, s.UserID, s.Dataset, s.SampleID, version)
		f.must(err)
		return told
	}
	v, neighbour := f.pending(s), f.pending(other)
	if told(s, s.SampleVersion) {
		f.Error("somebody was told before anything was")
	}
	for range 2 {
		f.must(f.NoteDetails(f.ctx, v.ID))
	}
	if !told(s, s.SampleVersion) || told(s, s.SampleVersion+1) {
		f.Error("who was told is not known, or told of another version")
	}
	if s.UserID != other.UserID && told(other, other.SampleVersion) {
		f.Errorf("%s was told what %s was", neighbour.UserID, v.UserID)
	}
	f.code(f.NoteDetails(f.ctx, "ver_none"), assay.CodeJobNotFound)
}
