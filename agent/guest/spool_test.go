package guest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"assay/internal/sandbox"
)

// sink takes what a spool sends.
type sink struct{ bytes.Buffer }

func (s *sink) ReadFrom(r io.Reader) (int64, error) { return io.Copy(&s.Buffer, r) }

func TestSpool(t *testing.T) {
	dir := t.TempDir()
	s, err := newSpool(dir, 8)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"one ", "", "two ", "three"} {
		s.write([]byte(p))
	}
	for range 2 {
		var got sink
		if err := s.send(&got); err != nil || got.String() != "one two " || s.total != 13 || s.kept != 8 {
			t.Errorf("sent %q, %v; kept %d of %d", got.String(), err, s.kept, s.total)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("it has a name: %v, %v", names, err)
	}
	if _, err := s.file.WriteAt([]byte("x"), 3); err != nil {
		t.Fatal(err)
	}
	if err := s.send(&sink{}); err == nil {
		t.Error("an altered output was sent as the one that was printed")
	}
	if err := s.file.Truncate(2); err != nil {
		t.Fatal(err)
	}
	if err := s.send(&sink{}); err == nil {
		t.Error("half of what was kept was sent as all of it")
	}
	s.close()
	s.close()
	if err := s.send(&sink{}); !errors.Is(err, sandbox.ErrUnknownCommand) {
		t.Errorf("sent after it was closed: %v", err)
	}
}

func TestSpoolWithoutADisk(t *testing.T) {
	s, err := newSpool("/nowhere/at/all", 8)
	if err == nil {
		t.Fatal("a spool was made nowhere")
	}
	s.write([]byte("hello"))
	var got sink
	if err := s.send(&got); err != nil || got.Len() > 0 || s.total != 5 || s.kept != 0 {
		t.Errorf("sent %q, %v; kept %d of %d", got.String(), err, s.kept, s.total)
	}
	s.close()
}
