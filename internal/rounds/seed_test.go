package rounds

import (
	"encoding/binary"
	"math"
	"testing"

	"assay"
)

func seedOf(n int) (s Seed) {
	binary.LittleEndian.PutUint64(s[:], uint64(n)+1)
	return s
}

// Each sequence but the one without an altered round is as likely as any other.
func TestSequencesAreUniform(t *testing.T) {
	for rounds := 1; rounds <= assay.MaxRounds; rounds++ {
		const each = 400
		kinds := 1<<rounds - 1
		counts := make(map[sequence]int)
		for n := range each * kinds {
			counts[seedOf(n).sequence("t", 0, rounds)]++
		}
		if counts[0] > 0 {
			t.Errorf("%d rounds: nothing is altered %d times", rounds, counts[0])
		}
		for s := sequence(1); s < 1<<rounds; s++ {
			if off := math.Abs(float64(counts[s] - each)); off > 5*math.Sqrt(each) {
				t.Errorf("%d rounds: sequence %b was drawn %d times, want about %d", rounds, s, counts[s], each)
			}
		}
		if len(counts) != kinds {
			t.Errorf("%d rounds: %d sequences, want %d", rounds, len(counts), kinds)
		}
	}
}

// What one unit, or one purpose, draws says nothing of another.
func TestSequencesAreIndependent(t *testing.T) {
	const plays = 4900
	counts := make(map[[2]sequence]int)
	again := make(map[[2]sequence]int)
	for n := range plays {
		s := seedOf(n)
		counts[[2]sequence{s.sequence("a", 0, 3), s.sequence("b", 0, 3)}]++
		again[[2]sequence{s.sequence("a", 0, 3), s.sequence("a", 1, 3)}]++
	}
	for name, pairs := range map[string]map[[2]sequence]int{"units": counts, "waves": again} {
		for pair, n := range pairs {
			if math.Abs(float64(n-plays/49)) > 5*math.Sqrt(plays/49) {
				t.Errorf("%s: %03b was drawn %d times, want about %d", name, pair, n, plays/49)
			}
		}
	}
}

func TestTheSameSeedDrawsTheSame(t *testing.T) {
	a, b := DeriveSeed([]byte("secret"), "u", "s"), DeriveSeed([]byte("secret"), "u", "s")
	if a != b || a.sequence("t", 0, 8) != b.sequence("t", 0, 8) {
		t.Error("the same is not the same")
	}
	for name, other := range map[string]Seed{
		"another secret": DeriveSeed([]byte("secreT"), "u", "s"), "another work": DeriveSeed([]byte("secret"), "u", "t"), "other parts": DeriveSeed([]byte("secret"), "us", ""),
	} {
		if other == a {
			t.Errorf("%s has the same seed", name)
		}
	}
}
