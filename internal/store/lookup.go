package store

import (
	"context"

	"assay"
)

const (
	insertLookup  = `INSERT INTO lookups (session_id, created_at, what) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	selectLookups = `SELECT created_at, what FROM lookups WHERE session_id = $1 ORDER BY session_id, what`
)

// NoteLookup implements session.Store.
func (s *Store) NoteLookup(ctx context.Context, sessionID string, l assay.Lookup) error {
	_, err := s.writer.exec(ctx, insertLookup, sessionID, toMicros(l.At), toText(l.What))
	return doing(err, "note a look into the history in session %s", sessionID)
}

// Lookups implements verification.Store: by what was looked for.
func (s *Store) Lookups(ctx context.Context, sessionID string) ([]assay.Lookup, error) {
	rows, err := s.reader.rows(ctx, selectLookups, sessionID)
	all, err := collect(rows, err, func(row scanner) (assay.Lookup, error) {
		var l assay.Lookup
		var at int64
		err := row.Scan(&at, &l.What)
		l.At = fromMicros(at)
		return l, err
	})
	return all, doing(err, "list the looks into the history in session %s", sessionID)
}
