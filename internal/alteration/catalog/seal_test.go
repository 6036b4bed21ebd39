package catalog

import (
	"bytes"
	"strings"
	"testing"
)

func sealerOf(t *testing.T, fill byte) *sealer {
	t.Helper()
	s, err := newSealer(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSeal(t *testing.T) {
	s := sealerOf(t, 1)
	sealed, err := s.seal("lantern", "a")
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := s.open(sealed, "a", &got); err != nil || got != "lantern" {
		t.Fatalf("%q, %v", got, err)
	}
	if again, err := s.seal("lantern", "a"); err != nil || bytes.Equal(sealed, again) {
		t.Errorf("sealed twice, it is the same: %v", err)
	}
	if bytes.Contains(sealed, []byte("lantern")) {
		t.Error("what is sealed can be read")
	}
	opened := func(s *sealer, sealed []byte, purpose string) {
		t.Helper()
		var got string
		if err := s.open(sealed, purpose, &got); err == nil || got != "" {
			t.Errorf("%q was opened for %s: %q", sealed, purpose, got)
		}
	}
	opened(s, sealed, "b")
	opened(s, sealed, "")
	opened(sealerOf(t, 2), sealed, "a")
	for at := range sealed {
		for bit := range 8 {
			bent := bytes.Clone(sealed)
			bent[at] ^= 1 << bit
			opened(s, bent, "a")
		}
		opened(s, sealed[:at], "a")
	}
	opened(s, append(bytes.Clone(sealed), 0), "a")
	if err := s.open(sealed, "b", &got); !strings.Contains(err.Error(), "alterations.key") {
		t.Errorf("the error does not say what to look for: %v", err)
	}
}

func TestKeys(t *testing.T) {
	for _, size := range []int{0, 16, 24, 31, 33, 64} {
		if _, err := New(Config{Key: make([]byte, size)}); err == nil {
			t.Errorf("a key of %d bytes", size)
		}
	}
}

// What is sealed for one thing opens for no other.
func TestPurposes(t *testing.T) {
	keys := []Key{
		{Dataset: "d", SampleID: "s", SampleVersion: 1, ImageDigest: "i", Rules: "1"},
		{Dataset: "e", SampleID: "s", SampleVersion: 1, ImageDigest: "i", Rules: "1"},
		{Dataset: "d", SampleID: "t", SampleVersion: 1, ImageDigest: "i", Rules: "1"},
		{Dataset: "d", SampleID: "s", SampleVersion: 2, ImageDigest: "i", Rules: "1"},
		{Dataset: "d", SampleID: "s", SampleVersion: 1, ImageDigest: "j", Rules: "1"},
		{Dataset: "d", SampleID: "s", SampleVersion: 1, ImageDigest: "i", Rules: "2"},
		{Dataset: `d" "s`, SampleID: "", SampleVersion: 1, ImageDigest: "i", Rules: "1"},
		{Dataset: "d", SampleID: `s" version 1 on "i`, SampleVersion: 1, ImageDigest: "i", Rules: "1"},
	}
	seen := make(map[string]bool)
	for _, k := range keys {
		for _, what := range []string{"alterations", "seed", "trial 1", "trial 2"} {
			seen[purpose(k, what)] = true
		}
	}
	if len(seen) != 4*len(keys) {
		t.Errorf("%d purposes of %d", len(seen), 4*len(keys))
	}
}
