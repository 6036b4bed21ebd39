package store

import "context"

const (
	insertDatabaseID = `INSERT INTO database_ids (one, id) VALUES (1, $1) ON CONFLICT DO NOTHING`
	selectDatabaseID = `SELECT id FROM database_ids WHERE one = 1`
)

// DatabaseID returns what tells this database from all others: the given id if it has none
// yet. It writes then alone, so that who reads a database that takes no writes can ask.
func (s *Store) DatabaseID(ctx context.Context, given string) (id string, err error) {
	err = s.reader.row(ctx, selectDatabaseID).Scan(&id)
	if isNone(err) {
		err = s.write(ctx, func(ctx context.Context, t txn) error {
			if _, err := t.exec(ctx, insertDatabaseID, given); err != nil {
				return err
			}
			return t.row(ctx, selectDatabaseID).Scan(&id)
		})
	}
	return id, doing(err, "read the id of the database")
}
