package store

import (
	"context"
	"time"

	"assay"
	"assay/internal/verification"
)

const (
	selectPlay = `SELECT state FROM plays WHERE verification_id = $1`
	insertPlay = `INSERT INTO plays (verification_id, user_id, dataset, sample_id, sample_version, state, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	movePlay     = `UPDATE plays SET state = $2, at = $3 WHERE verification_id = $1`
	selectPlayed = `SELECT user_id, dataset, sample_id, sample_version FROM verifications WHERE id = $1`

	selectExposure = `SELECT count(*), coalesce(sum(CASE WHEN state <> 'begun' THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN state = 'refused' THEN 1 ELSE 0 END), 0)
		FROM plays WHERE user_id = $1 AND dataset = $2 AND sample_id = $3 AND sample_version = $4 AND state <> 'void'`

	insertTold = `INSERT INTO details_told (user_id, dataset, sample_id, sample_version)
		SELECT user_id, dataset, sample_id, sample_version FROM verifications WHERE id = $1 ON CONFLICT DO NOTHING`
	selectTold = `SELECT count(*) FROM details_told WHERE user_id = $1 AND dataset = $2 AND sample_id = $3 AND sample_version = $4`
)

// NotePlay implements verification.PlayStore.
func (s *Store) NotePlay(ctx context.Context, verificationID string, state assay.PlayState, at time.Time) (holds assay.PlayState, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) (err error) {
		holds, err = w.notePlay(ctx, verificationID, state, at)
		return err
	})
	return holds, doing(err, "note what became of the play of verification %s", verificationID)
}

func (t txn) notePlay(ctx context.Context, verificationID string, state assay.PlayState, at time.Time) (holds assay.PlayState, err error) {
	err = t.row(ctx, selectPlay, verificationID).Scan(&holds)
	switch {
	case isNone(err):
		return state, t.insertPlay(ctx, verificationID, state, at)
	case err != nil || !holds.CanBecome(state):
		return holds, err
	}
	_, err = t.exec(ctx, movePlay, verificationID, string(state), toMicros(at))
	return state, err
}

func (t txn) insertPlay(ctx context.Context, verificationID string, state assay.PlayState, at time.Time) error {
	var (
		userID, dataset, sampleID string
		version                   int
	)
	if err := t.row(ctx, selectPlayed, verificationID).Scan(&userID, &dataset, &sampleID, &version); err != nil {
		return orNone(err, assay.CodeJobNotFound, "verification %s does not exist", verificationID)
	}
	_, err := t.exec(ctx, insertPlay, verificationID, userID, dataset, sampleID, version, string(state), toMicros(at))
	return err
}

// moveOfPlay stores what a move of a verification says of its play, or means for it.
func (s *Store) moveOfPlay(ctx context.Context, w txn, verificationID string, change verification.Change) error {
	at := s.now()
	if change.CompletedAt != nil {
		at = *change.CompletedAt
	}
	if change.Play != "" {
		_, err := w.notePlay(ctx, verificationID, change.Play, at)
		return err
	}
	if change.Status.Final() {
		return w.endPlay(ctx, verificationID, change.Status, at)
	}
	return nil
}

// endPlay does with the play of a verification that has ended what its end means for it, if
// it has a play.
func (t txn) endPlay(ctx context.Context, verificationID string, status assay.VerificationStatus, at time.Time) error {
	var state assay.PlayState
	err := t.row(ctx, selectPlay, verificationID).Scan(&state)
	if isNone(err) {
		return nil
	}
	if next := state.AfterEnd(status); err == nil && next != state {
		_, err = t.exec(ctx, movePlay, verificationID, string(next), toMicros(at))
	}
	return err
}

// Exposure implements verification.PlayStore.
func (s *Store) Exposure(ctx context.Context, userID, dataset, sampleID string, version int) (e assay.Exposure, err error) {
	err = s.reader.row(ctx, selectExposure, userID, dataset, sampleID, version).Scan(&e.Plays, &e.Reached, &e.Refused)
	return e, doing(err, "count the plays of user %s on sample %s/%s", userID, dataset, sampleID)
}

// NoteDetails implements verification.PlayStore. Who was told is not stored again.
func (s *Store) NoteDetails(ctx context.Context, verificationID string) error {
	var (
		userID, dataset, sampleID string
		version                   int
	)
	err := s.reader.row(ctx, selectPlayed, verificationID).Scan(&userID, &dataset, &sampleID, &version)
	if err != nil {
		return doing(orNone(err, assay.CodeJobNotFound, "verification %s does not exist", verificationID), "note who is told of verification %s", verificationID)
	}
	told, err := s.DetailsTold(ctx, userID, dataset, sampleID, version)
	if err != nil || told {
		return err
	}
	err = s.write(ctx, func(ctx context.Context, t txn) error {
		_, err := t.exec(ctx, insertTold, verificationID)
		return err
	})
	return doing(err, "note who is told of verification %s", verificationID)
}

// DetailsTold implements verification.PlayStore.
func (s *Store) DetailsTold(ctx context.Context, userID, dataset, sampleID string, version int) (bool, error) {
	var told int
	err := s.reader.row(ctx, selectTold, userID, dataset, sampleID, version).Scan(&told)
	return told > 0, doing(err, "read what user %s was told of sample %s/%s", userID, dataset, sampleID)
}
