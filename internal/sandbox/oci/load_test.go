package oci

import (
	"os"
	"testing"
	"testing/fstest"
	"time"

	"assay/internal/sandbox"
)

func TestLoad(t *testing.T) {
	now := time.Now()
	got, err := readLoad(os.DirFS("testdata/proc"), now)
	want := sandbox.Load{
		Wall: now, CPUs: 2, CPUBusy: (346392 + 2472 + 77500 + 10 + 1156 + 7722) * 10 * time.Millisecond,
		CPUStalled: 1828873491 * time.Microsecond, MemoryStalled: 2500 * time.Millisecond, IOStalled: 16730238 * time.Microsecond,
	}
	if err != nil || got != want {
		t.Errorf("load %+v, %v; want %+v", got, err, want)
	}
}

func TestLoadOfOtherKernels(t *testing.T) {
	const stat = "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
	const pressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"
	for name, tt := range map[string]struct {
		files map[string]string
		fails bool
	}{
		"without pressure":     {map[string]string{"stat": stat}, false},
		"without a full line":  {map[string]string{"stat": stat, "pressure/cpu": pressure, "pressure/io": pressure}, true},
		"a total of no number": {map[string]string{"stat": stat, "pressure/cpu": "some total=many\n"}, true},
		"without stat":         {map[string]string{"pressure/cpu": pressure}, true},
		"without CPUs":         {map[string]string{"stat": "cpu  1 2 3 4 5 6 7 8 9 10\n"}, true},
		"a time of no number":  {map[string]string{"stat": "cpu  1 2 x 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"}, true},
	} {
		proc := make(fstest.MapFS)
		for file, content := range tt.files {
			proc[file] = &fstest.MapFile{Data: []byte(content)}
		}
		got, err := readLoad(proc, time.Time{})
		if (err != nil) != tt.fails {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if want := (sandbox.Load{CPUs: 1, CPUBusy: 270 * time.Millisecond}); !tt.fails && got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
