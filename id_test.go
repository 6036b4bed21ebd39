package assay

import (
	"slices"
	"sync"
	"testing"
)

func TestNewIDSortsByCreation(t *testing.T) {
	var ids []string
	for range 10_000 {
		ids = append(ids, NewID("x_"))
	}
	if !slices.IsSorted(ids) {
		t.Error("ids of one goroutine are not in the order in which they were made")
	}
}

func TestNewIDIsUnique(t *testing.T) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = map[string]bool{}
	)
	for range 8 {
		wg.Go(func() {
			for range 2_000 {
				id := NewID(PrefixSession)
				mu.Lock()
				if seen[id] {
					t.Errorf("%s was made twice", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}
