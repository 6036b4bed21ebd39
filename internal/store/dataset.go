package store

import (
	"cmp"
	"context"
	"fmt"

	"assay"
	"assay/internal/alteration/catalog"
	"assay/internal/dataset"
)

const (
	datasetColumns = `d.name, d.description, d.created_at, d.answers, d.judging, d.judging_set,
		(SELECT count(*) FROM samples s WHERE s.dataset = d.name AND s.latest = 1),
		coalesce(v.samples, 0), coalesce(v.at, 0), coalesce(v.runs, 0), coalesce(v.solved, 0), coalesce(v.flaky, 0),
		coalesce(a.searched, 0), coalesce(a.samples, 0), coalesce(a.blind, 0)`
	// validated are the latest versions of samples that were validated by the grader $1.
	validated = `SELECT v.dataset AS dataset, count(*) AS samples, max(v.finished_at) AS at,
			sum(v.reference_runs) AS runs, sum(v.reference_solved) AS solved, sum(v.flaky) AS flaky
		FROM validations v JOIN samples s ON s.dataset = v.dataset AND s.id = v.sample_id AND s.version = v.sample_version AND s.latest = 1
		WHERE v.grader = $1`
	// searched are the latest versions of samples whose tests were searched for alterations by
	// the rules $2. A sample that was searched on several images counts once.
	searched = `SELECT a.dataset AS dataset, count(*) AS searched, sum(CASE WHEN a.altered > 0 THEN 1 ELSE 0 END) AS samples,
			sum(CASE WHEN a.tests > 0 AND a.blind >= a.tests THEN 1 ELSE 0 END) AS blind
		FROM alterations a JOIN samples s ON s.dataset = a.dataset AND s.id = a.sample_id AND s.version = a.sample_version AND s.latest = 1
		WHERE a.rules = $2 AND ` + newestSearch

	selectDatasets = `SELECT ` + datasetColumns + ` FROM datasets d
		LEFT JOIN (` + validated + ` GROUP BY v.dataset) v ON v.dataset = d.name
		LEFT JOIN (` + searched + ` GROUP BY a.dataset) a ON a.dataset = d.name ORDER BY d.name`
	selectDataset = `SELECT ` + datasetColumns + ` FROM datasets d
		LEFT JOIN (` + validated + ` AND v.dataset = $3 GROUP BY v.dataset) v ON v.dataset = d.name
		LEFT JOIN (` + searched + ` AND a.dataset = $3 GROUP BY a.dataset) a ON a.dataset = d.name WHERE d.name = $3`

	// upsertDataset keeps the answers of a dataset that is there when $4 is 0.
	upsertDataset = `INSERT INTO datasets (name, description, created_at, answers, answers_set, judging) VALUES ($1, $2, $3, $5, 0, $6)
		ON CONFLICT (name) DO UPDATE SET description = excluded.description, judging = excluded.judging,
			answers = CASE WHEN datasets.answers_set = 1 OR $4 = 0 THEN datasets.answers ELSE excluded.answers END`
	setAnswers = `UPDATE datasets SET answers = $2, answers_set = 1 WHERE name = $1`

	selectVersions = `SELECT id, version, latest, content_hash FROM samples WHERE dataset = $1 ORDER BY id, version`
	dropLatest     = `UPDATE samples SET latest = 0 WHERE dataset = $1 AND id = $2 AND latest = 1`
	setLatest      = `UPDATE samples SET latest = 1 WHERE dataset = $1 AND id = $2 AND version = $3`
)

func scanDataset(row scanner) (*assay.Dataset, error) {
	var (
		d             assay.Dataset
		created, last int64
		said, set     string
	)
	v, a := &d.Validation, &d.Alterations
	err := row.Scan(&d.Name, &d.Description, &created, &d.Answers, &said, &set, &d.SampleCount, &v.Samples, &last, &v.ReferenceRuns, &v.ReferenceSolved, &v.Flaky,
		&a.Searched, &a.Altered, &a.Blind)
	if err != nil {
		return nil, err
	}
	d.CreatedAt = fromMicros(created)
	if v.Samples > 0 {
		v.At = fromMicros(last)
	}
	d.Judging, err = judgingOf(said, set)
	return &d, err
}

// Datasets implements dataset.Store: by name.
func (s *Store) Datasets(ctx context.Context) ([]*assay.Dataset, error) {
	rows, err := s.reader.rows(ctx, selectDatasets, assay.GraderVersion, catalog.Rules)
	all, err := collect(rows, err, scanDataset)
	return all, doing(err, "list datasets")
}

// Dataset implements dataset.Store.
func (s *Store) Dataset(ctx context.Context, name string) (*assay.Dataset, error) {
	d, err := scanDataset(s.reader.row(ctx, selectDataset, assay.GraderVersion, catalog.Rules, name))
	if err != nil {
		return nil, doing(orNone(err, assay.CodeDatasetNotFound, "dataset %s does not exist", name), "read dataset %s", name)
	}
	return d, nil
}

// ImportDataset implements dataset.Store. A sample that comes back after it was
// removed counts as added; it is the same version when its content is the same. A
// dataset or a sample without a time of creation gets the time of the import.
func (s *Store) ImportDataset(ctx context.Context, d *assay.Dataset, samples []*assay.Sample) (result dataset.ImportResult, err error) {
	asked := ctx
	err = s.write(ctx, func(ctx context.Context, w txn) error {
		now := s.now()
		created := d.CreatedAt
		if created.IsZero() {
			created = now
		}
		judging, err := toJSON(d.Judging)
		if err != nil {
			return err
		}
		if _, err := w.exec(ctx, upsertDataset, d.Name, d.Description, toMicros(created), toInt(d.Answers != ""), string(cmp.Or(d.Answers, assay.AnswersUsers)), judging); err != nil {
			return err
		}
		im := importer{txn: w, dataset: d.Name, now: toMicros(now), seen: make(map[string]bool, len(samples))}
		if im.known, err = w.versions(ctx, d.Name); err != nil {
			return err
		}
		if im.quarantines, err = w.quarantines(ctx, d.Name); err != nil {
			return err
		}
		for _, sample := range samples {
			if err := asked.Err(); err != nil { // it is long, and nobody waits
				return err
			}
			if err := im.add(ctx, sample); err != nil {
				return fmt.Errorf("sample %s: %w", sample.ID, err)
			}
		}
		if err := im.removeOthers(ctx); err != nil {
			return err
		}
		result = im.result
		return nil
	})
	if err != nil {
		return dataset.ImportResult{}, doing(err, "import dataset %s", d.Name)
	}
	return result, nil
}

// SetAnswers implements dataset.Store.
func (s *Store) SetAnswers(ctx context.Context, name string, answers assay.Answers) error {
	n, err := s.writer.exec(ctx, setAnswers, name, string(answers))
	if err == nil && n == 0 {
		err = assay.Errorf(assay.CodeDatasetNotFound, "dataset %s does not exist", name)
	}
	return doing(err, "set who reads the answers of dataset %s", name)
}

// retire makes the latest version of a sample an older one. What searches of it were about to
// find is of use no more.
func (t txn) retire(ctx context.Context, dataset, id string) error {
	if _, err := t.exec(ctx, dropLatest, dataset, id); err != nil {
		return err
	}
	_, err := t.exec(ctx, dropTrialsOfSample, dataset, id)
	return err
}

// version is the newest stored version of a sample.
type version struct {
	number int
	latest bool // false when the sample is not in the dataset any more
	hash   string
}

// versions returns the newest version of each sample of a dataset, by id.
func (t txn) versions(ctx context.Context, dataset string) (map[string]version, error) {
	rows, err := t.rows(ctx, selectVersions, dataset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	newest := map[string]version{}
	for rows.Next() {
		var (
			id string
			v  version
		)
		if err := rows.Scan(&id, &v.number, &v.latest, &v.hash); err != nil {
			return nil, err
		}
		newest[id] = v // they come in ascending order
	}
	return newest, rows.Err()
}

// importer is one import of a dataset.
type importer struct {
	txn
	dataset     string
	now         int64 // microseconds
	known       map[string]version
	quarantines map[string][]string // by sample
	seen        map[string]bool
	result      dataset.ImportResult
}

// add stores a sample of the new dataset, unless its newest version is the same.
func (im *importer) add(ctx context.Context, sample *assay.Sample) error {
	if sample.Dataset != im.dataset {
		return fmt.Errorf("it belongs to dataset %q", sample.Dataset)
	}
	if im.seen[sample.ID] {
		return assay.Errorf(assay.CodeInvalid, "sample %s stands in dataset %s twice", sample.ID, im.dataset)
	}
	im.seen[sample.ID] = true
	sample, err := dataset.LayQuarantine(sample, im.quarantines[sample.ID])
	if err != nil {
		return err
	}
	hash, err := contentHash(sample)
	if err != nil {
		return err
	}
	before := im.known[sample.ID]
	switch {
	case before.latest && before.hash == hash:
		im.result.Unchanged++
		return nil
	case before.latest:
		im.result.Changed++
		if err := im.retire(ctx, im.dataset, sample.ID); err != nil {
			return err
		}
	default:
		im.result.Added++
		if before.hash == hash {
			_, err := im.exec(ctx, setLatest, im.dataset, sample.ID, before.number)
			return err
		}
	}
	created := im.now
	if !sample.CreatedAt.IsZero() {
		created = toMicros(sample.CreatedAt)
	}
	return im.insertSample(ctx, sample, before.number+1, created, hash)
}

// removeOthers takes the samples that were not added out of the dataset.
func (im *importer) removeOthers(ctx context.Context) error {
	for id, v := range im.known {
		if v.latest && !im.seen[id] {
			im.result.Removed++
			if err := im.retire(ctx, im.dataset, id); err != nil {
				return err
			}
		}
	}
	return nil
}
