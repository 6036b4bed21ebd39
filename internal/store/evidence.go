package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"assay"
	"assay/internal/verification"
)

const (
	insertWork = `INSERT INTO judged_works (verification_id, cache_key, reusable, patch_sha256, patch_bytes, patch) VALUES ($1, $2, 0, $3, $4, $5)
		ON CONFLICT (verification_id) DO UPDATE
		SET cache_key = excluded.cache_key, patch_sha256 = excluded.patch_sha256, patch_bytes = excluded.patch_bytes, patch = excluded.patch`
	selectWork   = `SELECT cache_key, patch_sha256, patch_bytes, patch FROM judged_works WHERE verification_id = $1`
	markReusable = `UPDATE judged_works SET reusable = 1 WHERE verification_id = $1 AND cache_key <> ''`

	selectReusable = `SELECT ` + verificationRead + ` FROM verifications WHERE id =
		(SELECT verification_id FROM judged_works WHERE cache_key = $1 AND reusable = 1 ORDER BY verification_id LIMIT 1)`
	selectLastVerification = `SELECT ` + verificationRead + ` FROM verifications WHERE session_id = $1 AND user_id = $2 ORDER BY session_id DESC, id DESC LIMIT 1`

	insertEnvelope = `INSERT INTO signed_verdicts (verification_id, envelope) VALUES ($1, $2)`
	selectEnvelope = `SELECT envelope FROM signed_verdicts WHERE verification_id = $1`
)

// SaveWork implements verification.Store.
func (s *Store) SaveWork(ctx context.Context, id string, work verification.Work) error {
	var patch any // NULL, which no driver makes of a nil slice by itself
	if work.Patch.Gzip != nil {
		patch = work.Patch.Gzip
	}
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		_, err := w.exec(ctx, insertWork, id, work.CacheKey, work.Patch.SHA256, work.Patch.Bytes, patch)
		return err
	})
	if constraintOf(err).foreign {
		err = assay.Errorf(assay.CodeJobNotFound, "verification %s does not exist", id)
	}
	return doing(err, "store the work that verification %s judges", id)
}

// Work implements verification.Store.
func (s *Store) Work(ctx context.Context, id string) (*verification.Work, error) {
	var w verification.Work
	err := s.reader.row(ctx, selectWork, id).Scan(&w.CacheKey, &w.Patch.SHA256, &w.Patch.Bytes, &w.Patch.Gzip)
	if err != nil {
		return nil, doing(orNone(err, assay.CodeNotFound, "no patch was kept of verification %s", id), "read the work of verification %s", id)
	}
	return &w, nil
}

// LastVerification implements verification.Store.
func (s *Store) LastVerification(ctx context.Context, userID, sessionID string) (*assay.Verification, error) {
	v, err := scanVerification(s.reader.row(ctx, selectLastVerification, sessionID, userID))
	if err != nil {
		return nil, doing(orNone(err, assay.CodeJobNotFound, "nothing in session %s was verified", sessionID), "read the last verification of session %s", sessionID)
	}
	return v, nil
}

// ReusableVerification implements verification.Store.
func (s *Store) ReusableVerification(ctx context.Context, cacheKey string) (*assay.Verification, error) {
	v, err := scanVerification(s.reader.row(ctx, selectReusable, cacheKey))
	if err != nil {
		return nil, doing(orNone(err, assay.CodeJobNotFound, "no such work was judged"), "look up a verdict on the same work")
	}
	return v, nil
}

// complete stores what belongs to a verdict, in the transaction that stores the verdict.
func (t txn) complete(ctx context.Context, id string, change verification.Change) error {
	if change.Envelope != nil {
		envelope, err := compress(change.Envelope)
		if err != nil {
			return fmt.Errorf("compress its envelope: %w", err)
		}
		if _, err := t.exec(ctx, insertEnvelope, id, envelope); err != nil {
			return err
		}
	}
	if change.Reusable {
		_, err := t.exec(ctx, markReusable, id)
		return err
	}
	return nil
}

// Envelope implements verification.Store.
func (s *Store) Envelope(ctx context.Context, id string) ([]byte, error) {
	var compressed []byte
	if err := s.reader.row(ctx, selectEnvelope, id).Scan(&compressed); err != nil {
		return nil, doing(orNone(err, assay.CodeJobNotFound, "verification %s has no signed verdict", id), "read the signed verdict of verification %s", id)
	}
	envelope, err := decompress(compressed)
	return envelope, doing(err, "read the signed verdict of verification %s", id)
}

func compress(content []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(content)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

func decompress(compressed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
