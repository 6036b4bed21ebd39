package store

import (
	"context"
	"testing"
	"time"

	"assay"
	"assay/internal/store/pgtest"
)

// A write to a server that hangs ends, too: who asked is told that it is not known whether it was
// done, or to try again.
func TestWritesToAServerThatHangsEnd(t *testing.T) {
	server := pgtest.New(t)
	s := opened(t, server.Database(t))
	t.Cleanup(func() { server.Resume() }) //nolint:errcheck // it goes on already, unless this failed
	put := func(name string) error {
		return s.write(t.Context(), func(ctx context.Context, w txn) error {
			_, err := w.exec(ctx, upsertDataset, name, "", 0, 0, "users", "{}")
			return err
		})
	}
	if err := put("before"); err != nil {
		t.Fatal(err)
	}
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	s.writer.patience = 200 * time.Millisecond
	for name, write := range map[string]func() error{
		"a transaction": func() error { return put("meanwhile") },
		"a statement": func() error {
			_, err := s.writer.exec(t.Context(), upsertDataset, "alone", "", 0, 0, "users", "{}")
			return err
		},
	} {
		began := time.Now()
		err := doing(write(), "write")
		if took := time.Since(began); assay.CodeOf(err) != assay.CodeUnavailable || took > settlePatience+10*time.Second {
			t.Errorf("%s is answered after %s with %v", name, took, err)
		}
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	s.writer.patience = 0
	if err := put("after"); err != nil {
		t.Errorf("once it goes on: %v", err)
	}
}
