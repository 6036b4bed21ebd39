package main

import (
	"strings"
	"testing"
	"time"
)

func TestBusyTimeLeavesOutWhatNobodyUsed(t *testing.T) {
	const stat = "cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 50 10 15 2000 250 3 3 4 0 0\n"
	got, err := busyTime(stat)
	if want := 1630 * time.Millisecond; err != nil || got != want {
		t.Errorf("%v, %v; want %v: user, nice, system and both kinds of interrupts", got, err, want)
	}
	for _, bad := range []string{"", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3", "cpu 1 2 x 4 5 6 7 8"} {
		if _, err := busyTime(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestProcessTimeIsOfTheProcessAndItsChildren(t *testing.T) {
	const stat = "4242 (as) say) S 1 4242 4242 0 -1 4194560 100 200 3 4 11 22 33 44 20 0 9 0 12345 1 2"
	own, children, err := processTime(stat)
	if err != nil || own != 330*time.Millisecond || children != 770*time.Millisecond {
		t.Errorf("%v and %v, %v; want 330ms and 770ms", own, children, err)
	}
	for _, bad := range []string{"", "1 (x) S 1 2 3", strings.Replace(stat, " 22 ", " x ", 1)} {
		if _, _, err := processTime(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestThroughputHoldsTheTestsAgainstTheCores(t *testing.T) {
	for _, c := range []struct {
		tests time.Duration
		met   bool
	}{{18 * time.Second, true}, {17900 * time.Millisecond, false}} {
		results := cpu{wall: 10 * time.Second, tests: c.tests, all: 19 * time.Second, server: time.Second}.results(100, 2)
		of := make(map[string]Result)
		for _, r := range results {
			of[r.Name] = r
		}
		share := of["CPU of their sandboxes by the cores' time"]
		if share.Met == nil || *share.Met != c.met {
			t.Errorf("%v of 10 s of two cores: %+v, want met %v", c.tests, share, c.met)
		}
		if rate := of["100 reference verifications, 2 workers"].P50; rate != 600 {
			t.Errorf("100 in 10 s are %g a minute, want 600", rate)
		}
		if each := of["a verification's CPU beside its sandbox: the server"].P50; each != 10 {
			t.Errorf("1 s for 100 is %g ms each, want 10", each)
		}
	}
}
