package verification

import (
	"context"
	"time"

	"assay"
)

// PlayStore keeps what became of plays. A play goes with its verification:
//
//	NotePlay(begun)                             its work is being judged
//	NotePlay(reached)                           it looks solved: before the first round
//	MoveVerification(Change{Play: solved})      with the verdict, in one transaction
//
// Where a verification ends without a word on its play, see assay.PlayState.AfterEnd. An
// attempt that was lost with its server leaves the play as it is, for the next attempt.
type PlayStore interface {
	// NotePlay notes the state of a verification's play, and returns the one that holds: a play
	// that has ended, or has come further, stays as it is. job_not_found.
	NotePlay(ctx context.Context, verificationID string, state assay.PlayState, at time.Time) (assay.PlayState, error)
	// Exposure counts the plays of a user on a version of a sample, but for void ones.
	Exposure(ctx context.Context, userID, dataset, sampleID string, version int) (assay.Exposure, error)
	// NoteDetails notes that the user of a verification is told all that its suite said:
	// job_not_found.
	NoteDetails(ctx context.Context, verificationID string) error
	// DetailsTold tells whether a user was told that of a version of a sample.
	DetailsTold(ctx context.Context, userID, dataset, sampleID string, version int) (bool, error)
}
