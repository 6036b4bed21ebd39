package assay

import "slices"

// PlayState is what became of a play: of judging a work that may come to rounds of altered
// tests. Each verification has at most one, however often it is begun.
type PlayState string

// The states of a play. One that stays begun did not look solved.
const (
	PlayBegun   PlayState = "begun"
	PlayReached PlayState = "reached" // it looked solved, and its rounds began
	PlaySolved  PlayState = "solved"  // it came through its rounds
	PlayRefused PlayState = "refused" // its rounds refused it, or were not waited for
	PlayVoid    PlayState = "void"    // an error of ours ended it: it counts for nothing
)

var playMoves = map[PlayState][]PlayState{
	PlayBegun:   {PlayReached, PlayVoid},
	PlayReached: {PlaySolved, PlayRefused, PlayVoid},
}

// CanBecome tells whether a play may go from s to next.
func (s PlayState) CanBecome(next PlayState) bool { return slices.Contains(playMoves[s], next) }

// AfterEnd is the state of a play in state s once its verification has ended as status
// without a word on the play. Who has rounds begin and cancels them has seen something of
// them, and is refused; of our errors nobody has.
func (s PlayState) AfterEnd(status VerificationStatus) PlayState {
	switch {
	case status == VerificationCancelled && s.CanBecome(PlayRefused):
		return PlayRefused
	case status == VerificationError && s.CanBecome(PlayVoid):
		return PlayVoid
	}
	return s
}
