package store

import "database/sql"

// Reader returns the connections that read.
func Reader(s *Store) *sql.DB { return s.reader.db }

// Writer returns the connections that write.
func Writer(s *Store) *sql.DB { return s.writer.db }
