package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"assay"
	"assay/internal/dataset"
)

const sampleColumns = `dataset, id, version, latest, created_at, version_description, description,
	repo, base_commit, environment_setup_commit, problem_statement, hints_text, patch, non_code_patch, test_patch,
	fail_to_pass, pass_to_pass, fail_to_fail, task`

const (
	// readColumns are those of a version, and what is set of its dataset at this moment.
	readColumns = sampleColumns + `, (SELECT d.answers FROM datasets d WHERE d.name = samples.dataset),
		(SELECT d.judging FROM datasets d WHERE d.name = samples.dataset), (SELECT d.judging_set FROM datasets d WHERE d.name = samples.dataset)`

	selectSample       = `SELECT ` + readColumns + ` FROM samples WHERE dataset = $1 AND id = $2 AND version = $3`
	selectSampleLatest = `SELECT ` + readColumns + ` FROM samples WHERE dataset = $1 AND id = $2 AND latest = 1`

	// A page of the latest samples whose id fits the pattern $3, beyond the sample
	// $1, $2: of all datasets, and of one.
	selectSamples          = `SELECT ` + readColumns + ` FROM samples WHERE latest = 1 AND (dataset, id) > ($1, $2)` + samplesPage
	selectSamplesOfDataset = `SELECT ` + readColumns + ` FROM samples WHERE latest = 1 AND dataset = $1 AND id > $2` + samplesPage
	samplesPage            = ` AND lower(id) LIKE lower($3) ESCAPE '\' ORDER BY dataset, id LIMIT $4 OFFSET $5`

	countSamples = `SELECT count(*) FROM samples
		WHERE latest = 1 AND ($1 = '' OR dataset = $1) AND lower(id) LIKE lower($2) ESCAPE '\'`

	insertSample = `INSERT INTO samples (` + sampleColumns + `, content_hash)
		VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
)

func scanSample(row scanner) (*assay.Sample, error) {
	var (
		s                                     assay.Sample
		created                               int64
		failToPass, passToPass, failToFail, t string
		said, set                             string
	)
	err := row.Scan(&s.Dataset, &s.ID, &s.Version, &s.Latest, &created, &s.VersionDescription, &s.Description,
		&s.Repo, &s.BaseCommit, &s.EnvironmentSetupCommit, &s.ProblemStatement, &s.HintsText, &s.Patch, &s.NonCodePatch, &s.TestPatch,
		&failToPass, &passToPass, &failToFail, &t, &s.Answers, &said, &set)
	if err != nil {
		return nil, err
	}
	s.CreatedAt = fromMicros(created)
	s.Judging, err = judgingOf(said, set)
	return &s, errors.Join(
		err,
		fromJSON(failToPass, "fail_to_pass", &s.FailToPass),
		fromJSON(passToPass, "pass_to_pass", &s.PassToPass),
		fromJSON(failToFail, "fail_to_fail", &s.FailToFail),
		fromJSON(t, "task", &s.Task),
	)
}

// contentHash tells whether two versions of a sample are the same: it covers all
// fields but the version's own number. A field that the vocabulary gains later
// changes it, so the next import makes new versions.
func contentHash(s *assay.Sample) (string, error) {
	content := normal(s)
	content.Version, content.Latest = 0, false
	text, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// normal returns a copy of the sample in which a list without elements is empty, not nil.
func normal(s *assay.Sample) *assay.Sample {
	c := *s
	for _, list := range []*[]string{&c.FailToPass, &c.PassToPass, &c.FailToFail} {
		if *list == nil {
			*list = []string{}
		}
	}
	return &c
}

// insertSample stores a version of a sample, which is the latest.
func (t txn) insertSample(ctx context.Context, in *assay.Sample, version int, createdAt int64, hash string) error {
	s := normal(in)
	var lists [4]string
	for i, v := range []any{s.FailToPass, s.PassToPass, s.FailToFail, s.Task} {
		text, err := toJSON(v)
		if err != nil {
			return err
		}
		lists[i] = text
	}
	_, err := t.exec(ctx, insertSample, s.Dataset, s.ID, version, createdAt, s.VersionDescription, s.Description,
		s.Repo, s.BaseCommit, s.EnvironmentSetupCommit, s.ProblemStatement, s.HintsText, s.Patch, s.NonCodePatch, s.TestPatch,
		lists[0], lists[1], lists[2], lists[3], hash)
	return err
}

// Sample implements dataset.Store.
func (s *Store) Sample(ctx context.Context, dataset, id string, version int) (got *assay.Sample, err error) {
	if version == 0 {
		got, err = scanSample(s.reader.row(ctx, selectSampleLatest, dataset, id))
	} else {
		got, err = scanSample(s.reader.row(ctx, selectSample, dataset, id, version))
	}
	switch {
	case err == nil:
		return got, nil
	case !isNone(err):
		return nil, doing(err, "read sample %s/%s", dataset, id)
	}
	if _, err := s.Dataset(ctx, dataset); err != nil {
		return nil, err
	}
	return nil, noVersion(dataset, id, version)
}

func noVersion(dataset, id string, version int) error {
	if version == 0 {
		return assay.Errorf(assay.CodeSampleNotFound, "dataset %s has no sample %s", dataset, id)
	}
	return assay.Errorf(assay.CodeSampleNotFound, "dataset %s has no version %d of a sample %s", dataset, version, id)
}

// A page of samples is closed before anybody is called with it, because a reader that
// is slow must not keep a read transaction open. It ends at pageRows, or sooner
// when the samples that it holds in memory have about pageBytes.
const (
	pageRows  = 256
	pageBytes = 1 << 20
)

// Samples implements dataset.Store. A dataset that does not exist has no samples.
// Samples that are imported meanwhile may be among them.
func (s *Store) Samples(ctx context.Context, q dataset.Query, fn func(*assay.Sample) error) error {
	var last assay.Sample // the first page follows the empty name
	offset := q.Offset
	for left := q.Limit; ; {
		limit := pageRows
		if q.Limit > 0 {
			limit = min(limit, left)
		}
		page, err := s.samplePage(ctx, q, last.Dataset, last.ID, limit, offset)
		if err != nil {
			return doing(err, "list samples")
		}
		for _, sample := range page {
			if err := fn(sample); err != nil {
				return err
			}
		}
		left, offset = left-len(page), 0
		if len(page) == 0 || q.Limit > 0 && left == 0 {
			return nil
		}
		last = *page[len(page)-1]
	}
}

// samplePage returns at most limit samples beyond the one named; none at the end.
func (s *Store) samplePage(ctx context.Context, q dataset.Query, afterDataset, afterID string, limit, offset int) ([]*assay.Sample, error) {
	text := selectSamples
	if q.Dataset != "" {
		text, afterDataset = selectSamplesOfDataset, q.Dataset
	}
	rows, err := s.reader.rows(ctx, text, afterDataset, afterID, pattern(q.Search), limit, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var (
		page []*assay.Sample
		size int
	)
	for size < pageBytes && rows.Next() {
		sample, err := scanSample(rows)
		if err != nil {
			return nil, err
		}
		page = append(page, sample)
		size += sizeOf(sample)
	}
	return page, rows.Err()
}

// sizeOf is about how much memory a sample takes.
func sizeOf(s *assay.Sample) int {
	const header = 1 << 10
	n := header + len(s.ProblemStatement) + len(s.HintsText) + len(s.Patch) + len(s.NonCodePatch) + len(s.TestPatch)
	for _, list := range [][]string{s.FailToPass, s.PassToPass, s.FailToFail} {
		for _, name := range list {
			n += 16 + len(name)
		}
	}
	return n
}

// CountSamples implements dataset.Store.
func (s *Store) CountSamples(ctx context.Context, q dataset.Query) (int, error) {
	var n int
	err := s.reader.row(ctx, countSamples, q.Dataset, pattern(q.Search)).Scan(&n)
	return n, doing(err, "count samples")
}

// pattern is a LIKE pattern, with \ as its escape, for texts that hold part.
func pattern(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}
