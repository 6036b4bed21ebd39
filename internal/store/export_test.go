package store

import "database/sql"

// Reader returns the connections that read.
func Reader(s *Store) *sql.DB { return s.reader.db }
