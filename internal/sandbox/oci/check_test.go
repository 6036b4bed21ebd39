package oci

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay/internal/sandbox"
)

func TestAStepIsNotTriedWithoutItsFoundations(t *testing.T) {
	broken := errors.New("broken; mend it")
	tried := ""
	step := func(name, found string, err error, after ...string) probe {
		return probe{name, after, func() (string, error) { tried += name; return found, err }}
	}
	steps := probes{step("a", "1", nil), step("b", "", broken), step("c", "3", nil, "a", "b"), step("d", "4", nil, "c"), step("e", "5", nil, "a")}
	got := steps.all()
	want := []Need{{Name: "a", Found: "1"}, {Name: "b", Err: broken}, {Name: "c", After: "b"}, {Name: "d", After: "c"}, {Name: "e", Found: "5"}}
	if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
		t.Error(diff)
	}
	if tried != "abe" {
		t.Errorf("the steps %s were tried, want abe", tried)
	}
	if err := steps.first(); !errors.Is(err, broken) || !errors.Is(err, sandbox.ErrUnavailable) {
		t.Errorf("the first fault is %v", err)
	}
}

func TestOldKernelsAreToldApart(t *testing.T) {
	for release, old := range map[string]bool{
		"5.10.0-32-amd64": false, "5.9.16": true, "4.18.0-553.el8": true, "6.1.0": false, "10.0": false, "unknown": false, "": false,
	} {
		if err := checkKernel(release); (err != nil) != old {
			t.Errorf("%q: %v", release, err)
		}
	}
}

func TestQuotasOfTheKernel(t *testing.T) {
	for _, tt := range []struct {
		n, least int64
		ok       bool
	}{{65536, 65536, true}, {128, 65536, false}, {1 << 20, 65536, true}, {0, 0, true}, {16384, 0, false}} {
		if err := checkQuota("a.b", tt.n, tt.least); (err == nil) != tt.ok {
			t.Errorf("%d where %d is wanted: %v", tt.n, tt.least, err)
		}
	}
}
