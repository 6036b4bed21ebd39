package store

import (
	"context"
	"time"

	"assay"
	"assay/internal/dataset"
)

const (
	runColumns = `id, campaign, dataset, sample_id, sample_version, grader, image_digest, tree, number,
		outcome, duration, finished_at, reason, tests`

	insertRun          = `INSERT INTO validation_runs (` + runColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	selectRuns         = `SELECT ` + runColumns + ` FROM validation_runs WHERE dataset = $1 AND sample_id = $2 AND sample_version = $3 AND campaign = $4 ORDER BY id`
	selectLastCampaign = `SELECT campaign FROM validation_runs WHERE dataset = $1 ORDER BY id DESC LIMIT 1`

	upsertConclusion = `INSERT INTO validations
			(dataset, sample_id, sample_version, grader, campaign, reference_runs, reference_solved, flaky, finished_at, narrow)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (dataset, sample_id, sample_version, grader) DO UPDATE SET campaign = excluded.campaign,
			reference_runs = excluded.reference_runs, reference_solved = excluded.reference_solved,
			flaky = excluded.flaky, finished_at = excluded.finished_at, narrow = excluded.narrow`
	selectNarrow = `SELECT narrow FROM validations WHERE dataset = $1 AND sample_id = $2 AND sample_version = $3 AND grader = $4`

	selectHash = `SELECT content_hash FROM samples WHERE dataset = $1 AND id = $2 AND version = $3`

	selectQuarantines = `SELECT sample_id, tests FROM quarantines WHERE dataset = $1`
	upsertQuarantine  = `INSERT INTO quarantines (dataset, sample_id, tests, changed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (dataset, sample_id) DO UPDATE SET tests = excluded.tests, changed_at = excluded.changed_at`
)

// AddValidationRun implements dataset.Store.
func (s *Store) AddValidationRun(ctx context.Context, r *dataset.Run) error {
	_, err := s.writer.exec(ctx, insertRun, r.ID, r.Campaign, r.Dataset, r.SampleID, r.SampleVersion, r.Grader, r.ImageDigest,
		string(r.Tree), r.Number, string(r.Outcome), r.Duration.Microseconds(), toMicros(r.FinishedAt), toText(r.Reason), r.Tests)
	return doing(err, "store run %s", r.ID)
}

func scanRun(row scanner) (*dataset.Run, error) {
	var (
		r              dataset.Run
		took, finished int64
	)
	err := row.Scan(&r.ID, &r.Campaign, &r.Dataset, &r.SampleID, &r.SampleVersion, &r.Grader, &r.ImageDigest, &r.Tree, &r.Number,
		&r.Outcome, &took, &finished, &r.Reason, &r.Tests)
	if err != nil {
		return nil, err
	}
	r.Duration, r.FinishedAt = time.Duration(took)*time.Microsecond, fromMicros(finished)
	return &r, nil
}

// ValidationRuns implements dataset.Store.
func (s *Store) ValidationRuns(ctx context.Context, campaign, dataset, sampleID string, version int) ([]*dataset.Run, error) {
	rows, err := s.reader.rows(ctx, selectRuns, dataset, sampleID, version, campaign)
	all, err := collect(rows, err, scanRun)
	return all, doing(err, "read the runs of sample %s", sampleID)
}

// LastCampaign implements dataset.Store.
func (s *Store) LastCampaign(ctx context.Context, dataset string) (campaign string, err error) {
	err = s.reader.row(ctx, selectLastCampaign, dataset).Scan(&campaign)
	if isNone(err) {
		return "", nil
	}
	return campaign, doing(err, "find the last validation of %s", dataset)
}

// SetConclusion implements dataset.Store.
func (s *Store) SetConclusion(ctx context.Context, c *dataset.Conclusion) error {
	_, err := s.writer.exec(ctx, upsertConclusion, c.Dataset, c.SampleID, c.SampleVersion, c.Grader, c.Campaign,
		c.ReferenceRuns, c.ReferenceSolved, toInt(c.Flaky), toMicros(c.FinishedAt), toInt(c.Narrow))
	return doing(err, "store the validation of sample %s", c.SampleID)
}

// Narrow implements dataset.Store.
func (s *Store) Narrow(ctx context.Context, dataset, sampleID string, version int) (bool, error) {
	var narrow int
	err := s.reader.row(ctx, selectNarrow, dataset, sampleID, version, assay.GraderVersion).Scan(&narrow)
	if isNone(err) {
		return false, nil
	}
	return narrow == 1, doing(err, "read the validation of sample %s", sampleID)
}

// Quarantines implements dataset.Store.
func (s *Store) Quarantines(ctx context.Context, dataset string) (all map[string][]string, err error) {
	err = s.read(ctx, func(ctx context.Context, r txn) (err error) {
		all, err = r.quarantines(ctx, dataset)
		return err
	})
	return all, doing(err, "read the quarantine of %s", dataset)
}

func (t txn) quarantines(ctx context.Context, dataset string) (map[string][]string, error) {
	rows, err := t.rows(ctx, selectQuarantines, dataset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string][]string{}
	for rows.Next() {
		var (
			id, text string
			tests    []string
		)
		if err := rows.Scan(&id, &text); err != nil {
			return nil, err
		}
		if err := fromJSON(text, "tests", &tests); err != nil {
			return nil, err
		}
		if len(tests) > 0 {
			all[id] = tests
		}
	}
	return all, rows.Err()
}

// SetQuarantine implements dataset.Store.
func (s *Store) SetQuarantine(ctx context.Context, name, sampleID string, tests []string) (*assay.Sample, error) {
	err := s.write(ctx, func(ctx context.Context, w txn) error {
		old, err := scanSample(w.row(ctx, selectSampleLatest, name, sampleID))
		if err != nil {
			return orNone(err, assay.CodeSampleNotFound, "dataset %s has no sample %s", name, sampleID)
		}
		before, err := w.quarantines(ctx, name)
		if err != nil {
			return err
		}
		sample, err := dataset.LayQuarantine(dataset.LiftQuarantine(old, before[sampleID]), tests)
		if err != nil {
			return err
		}
		if tests == nil {
			tests = []string{}
		}
		text, err := toJSON(tests)
		if err != nil {
			return err
		}
		if _, err := w.exec(ctx, upsertQuarantine, name, sampleID, text, toMicros(s.now())); err != nil {
			return err
		}
		return w.addVersion(ctx, old, sample)
	})
	if err != nil {
		return nil, doing(err, "quarantine tests of sample %s", sampleID)
	}
	return s.Sample(ctx, name, sampleID, 0)
}

// addVersion makes a sample the latest version after old, unless both are the same. Its
// hash is that of an import of the same row: a row that names no time of creation has
// the time of its import, which is not hashed.
func (t txn) addVersion(ctx context.Context, old, sample *assay.Sample) error {
	before, err := contentHash(old)
	if err != nil {
		return err
	}
	hash, err := contentHash(sample)
	if err != nil || hash == before {
		return err
	}
	var imported string
	if err := t.row(ctx, selectHash, old.Dataset, old.ID, old.Version).Scan(&imported); err != nil {
		return err
	}
	if imported != before {
		timeless := *sample
		timeless.CreatedAt = time.Time{}
		if hash, err = contentHash(&timeless); err != nil {
			return err
		}
	}
	if err := t.retire(ctx, old.Dataset, old.ID); err != nil {
		return err
	}
	return t.insertSample(ctx, sample, old.Version+1, toMicros(old.CreatedAt), hash)
}
