package store

import (
	"context"
	"slices"
	"strings"

	"assay/internal/alteration/idle"
)

// Ids sort by creation: behind their prefixes they tell which use was last. The first
// condition is true of all; it has PostgreSQL read the index from its end.
const (
	selectSessionUses      = `SELECT substr(id, 5), dataset, sample_id FROM sessions WHERE id > $1 ORDER BY id DESC LIMIT $2`
	selectVerificationUses = `SELECT substr(id, 5), dataset, sample_id FROM verifications WHERE id > $1 ORDER BY id DESC LIMIT $2`
)

// usesRead is how many of the last sessions, and of the last verifications, are read to find
// the samples that were used last.
const usesRead = 1000

// RecentlyUsed implements idle.Uses.
func (s *Store) RecentlyUsed(ctx context.Context, most int) ([]idle.Sample, error) {
	type use struct {
		at string
		idle.Sample
	}
	var uses []use
	for _, text := range []string{selectSessionUses, selectVerificationUses} {
		rows, err := s.reader.rows(ctx, text, "", usesRead)
		some, err := collect(rows, err, func(row scanner) (u use, err error) {
			err = row.Scan(&u.at, &u.Dataset, &u.ID)
			return u, err
		})
		if err != nil {
			return nil, doing(err, "find the samples that were used last")
		}
		uses = append(uses, some...)
	}
	slices.SortFunc(uses, func(a, b use) int { return strings.Compare(b.at, a.at) })
	var samples []idle.Sample
	seen := make(map[idle.Sample]bool)
	for _, u := range uses {
		if !seen[u.Sample] && len(samples) < most {
			seen[u.Sample] = true
			samples = append(samples, u.Sample)
		}
	}
	return samples, nil
}
