package store

import (
	"context"
	"testing"
	"time"

	"assay"
	"assay/internal/store/pgtest"
)

// A server that hangs holds nobody for longer than the patience with it: its connections
// stay open, and it does not answer.
func TestReadsOfAServerThatHangsEnd(t *testing.T) {
	server := pgtest.New(t)
	s := opened(t, server.Database(t))
	s.reader.patience = 200 * time.Millisecond
	if _, err := s.Datasets(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Resume() }) //nolint:errcheck // it goes on already, unless this failed
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func(context.Context) error{
		"a row":         func(ctx context.Context) error { _, err := s.Dataset(ctx, "d"); return err },
		"rows":          func(ctx context.Context) error { _, err := s.Datasets(ctx); return err },
		"a transaction": func(ctx context.Context) error { return s.read(ctx, func(context.Context, txn) error { return nil }) },
		"the ping":      s.Ping,
	} {
		err := read(t.Context())
		if name == "a transaction" {
			err = doing(err, "read")
		}
		if assay.CodeOf(err) != assay.CodeUnavailable {
			t.Errorf("%s is answered with %v", name, err)
		}
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	s.reader.patience = readPatience
	if _, err := s.Datasets(t.Context()); err != nil {
		t.Errorf("once it goes on: %v", err)
	}
}
