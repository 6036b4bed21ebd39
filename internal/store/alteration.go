package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"assay"
	"assay/internal/alteration/catalog"
)

const (
	alterationKey  = `dataset = $1 AND sample_id = $2 AND sample_version = $3 AND image_digest = $4 AND rules = $5`
	alterationCols = `dataset, sample_id, sample_version, image_digest, rules`

	upsertAlterations = `INSERT INTO alterations (` + alterationCols + `, tests, altered, blind, fresh, draws, runs, took, finished_at, sealed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (` + alterationCols + `) DO UPDATE SET tests = excluded.tests, altered = excluded.altered, blind = excluded.blind,
			fresh = excluded.fresh, draws = excluded.draws, runs = excluded.runs, took = excluded.took,
			finished_at = excluded.finished_at, sealed = excluded.sealed`
	selectAlterations = `SELECT sealed FROM alterations WHERE ` + alterationKey
	// newestSearch is true of the search that counts of a sample that was searched on several
	// images.
	newestSearch = `NOT EXISTS (SELECT 1 FROM alterations n WHERE n.dataset = a.dataset AND n.sample_id = a.sample_id
			AND n.sample_version = a.sample_version AND n.rules = a.rules
			AND (n.finished_at, n.image_digest) > (a.finished_at, a.image_digest))`
	selectAlterationSummaries = `SELECT a.dataset, a.sample_id, a.sample_version, a.image_digest, a.rules,
			a.tests, a.altered, a.blind, a.fresh, a.draws, a.runs, a.took, a.finished_at
		FROM alterations a JOIN samples s ON s.dataset = a.dataset AND s.id = a.sample_id AND s.version = a.sample_version AND s.latest = 1
		WHERE a.dataset = $1 AND a.rules = $2 AND ` + newestSearch + `
		ORDER BY a.sample_id`

	addShown = `INSERT INTO alterations_shown (dataset, sample_id, sample_version, name, times) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (dataset, sample_id, sample_version, name) DO UPDATE SET times = alterations_shown.times + excluded.times`
	selectShown = `SELECT name, times FROM alterations_shown WHERE dataset = $1 AND sample_id = $2 AND sample_version = $3`

	upsertTrial = `INSERT INTO alteration_trials (` + alterationCols + `, trial, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (` + alterationCols + `, trial) DO UPDATE SET sealed = excluded.sealed`
	insertSeed  = `INSERT INTO alteration_trials (` + alterationCols + `, trial, sealed) VALUES ($1, $2, $3, $4, $5, 'seed', $6) ON CONFLICT DO NOTHING`
	selectTrial = `SELECT sealed FROM alteration_trials WHERE ` + alterationKey + ` AND trial = $6`
	dropTrials  = `DELETE FROM alteration_trials WHERE ` + alterationKey
	// dropOtherTrials drops those of a sample that the outcome of a key makes worthless.
	dropOtherTrials = `DELETE FROM alteration_trials WHERE dataset = $1 AND sample_id = $2
		AND (sample_version < $3 OR sample_version = $3 AND (image_digest <> $4 OR rules <> $5))`
	dropTrialsOfSample = `DELETE FROM alteration_trials WHERE dataset = $1 AND sample_id = $2`
)

func searchKey(k catalog.Key, more ...any) []any {
	return append([]any{k.Dataset, k.SampleID, k.SampleVersion, k.ImageDigest, k.Rules}, more...)
}

// SaveAlterations implements catalog.Store.
func (s *Store) SaveAlterations(ctx context.Context, k catalog.Key, merge func(sealed []byte) (*catalog.Found, error)) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		var sealed []byte
		if err := w.row(ctx, selectAlterations, searchKey(k)...).Scan(&sealed); err != nil && !isNone(err) {
			return err
		}
		found, err := merge(sealed)
		if err != nil {
			return err
		}
		if _, err := w.exec(ctx, dropOtherTrials, searchKey(k)...); err != nil {
			return err
		}
		if !found.GoesOn {
			if _, err := w.exec(ctx, dropTrials, searchKey(k)...); err != nil {
				return err
			}
		}
		a := found.Summary
		_, err = w.exec(ctx, upsertAlterations, searchKey(k, a.Tests, a.Altered, a.Blind, a.Fresh, a.Draws, a.Runs,
			a.Took.Microseconds(), toMicros(a.FinishedAt), found.Sealed)...)
		return err
	})
	return doing(s.orNoSample(err, k), "store the alterations of sample %s", k.SampleID)
}

func (s *Store) orNoSample(err error, k catalog.Key) error {
	if constraintOf(err).foreign {
		return assay.Errorf(assay.CodeSampleNotFound, "dataset %s has no version %d of sample %s", k.Dataset, k.SampleVersion, k.SampleID)
	}
	return err
}

// Alterations implements catalog.Store.
func (s *Store) Alterations(ctx context.Context, k catalog.Key) (sealed []byte, err error) {
	err = s.reader.row(ctx, selectAlterations, searchKey(k)...).Scan(&sealed)
	if err != nil {
		return nil, doing(orNone(err, assay.CodeNotFound, "sample %s was not searched for alterations", k.SampleID), "read the alterations of sample %s", k.SampleID)
	}
	return sealed, nil
}

// AlterationSummaries implements catalog.Store.
func (s *Store) AlterationSummaries(ctx context.Context, dataset, rules string) ([]*catalog.Summary, error) {
	rows, err := s.reader.rows(ctx, selectAlterationSummaries, dataset, rules)
	all, err := collect(rows, err, scanAlterationSummary)
	return all, doing(err, "read what is known of alterations in dataset %s", dataset)
}

func scanAlterationSummary(row scanner) (*catalog.Summary, error) {
	var (
		a              catalog.Summary
		took, finished int64
	)
	err := row.Scan(&a.Dataset, &a.SampleID, &a.SampleVersion, &a.ImageDigest, &a.Rules,
		&a.Tests, &a.Altered, &a.Blind, &a.Fresh, &a.Draws, &a.Runs, &took, &finished)
	if err != nil {
		return nil, err
	}
	a.Took, a.FinishedAt = time.Duration(took)*time.Microsecond, fromMicros(finished)
	return &a, nil
}

// NoteShown implements catalog.Store.
func (s *Store) NoteShown(ctx context.Context, k catalog.Key, times map[string]int) error {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		for _, name := range slices.Sorted(maps.Keys(times)) {
			if _, err := w.exec(ctx, addShown, k.Dataset, k.SampleID, k.SampleVersion, name, times[name]); err != nil {
				return err
			}
		}
		return nil
	})
	return doing(s.orNoSample(err, k), "count what was shown of sample %s", k.SampleID)
}

// Shown implements catalog.Store.
func (s *Store) Shown(ctx context.Context, k catalog.Key) (map[string]int, error) {
	type shown struct {
		name  string
		times int
	}
	rows, err := s.reader.rows(ctx, selectShown, k.Dataset, k.SampleID, k.SampleVersion)
	all, err := collect(rows, err, func(row scanner) (one shown, err error) {
		err = row.Scan(&one.name, &one.times)
		return one, err
	})
	times := make(map[string]int, len(all))
	for _, one := range all {
		times[one.name] = one.times
	}
	return times, doing(err, "read what was shown of sample %s", k.SampleID)
}

// SaveTrial implements catalog.Store.
func (s *Store) SaveTrial(ctx context.Context, k catalog.Key, trial string, sealed []byte) error {
	_, err := s.writer.exec(ctx, upsertTrial, searchKey(k, trial, sealed)...)
	return doing(s.orNoSample(err, k), "store a trial of sample %s", k.SampleID)
}

// Trial implements catalog.Store.
func (s *Store) Trial(ctx context.Context, k catalog.Key, trial string) (sealed []byte, err error) {
	err = s.reader.row(ctx, selectTrial, searchKey(k, trial)...).Scan(&sealed)
	if isNone(err) {
		return nil, nil
	}
	return sealed, doing(err, "read a trial of sample %s", k.SampleID)
}

// DropTrials implements catalog.Store.
func (s *Store) DropTrials(ctx context.Context, k catalog.Key) error {
	_, err := s.writer.exec(ctx, dropTrials, searchKey(k)...)
	return doing(err, "drop the trials of sample %s", k.SampleID)
}

// AlterationSeed implements catalog.Store.
func (s *Store) AlterationSeed(ctx context.Context, k catalog.Key, draw func() []byte) (sealed []byte, err error) {
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		if _, err := w.exec(ctx, insertSeed, searchKey(k, draw())...); err != nil {
			return err
		}
		return w.row(ctx, selectTrial, searchKey(k, "seed")...).Scan(&sealed)
	})
	return sealed, doing(s.orNoSample(err, k), "draw the seed of sample %s", k.SampleID)
}
