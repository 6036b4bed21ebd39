package dataset

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"assay"
)

// memoryStore is a Store in memory. It keeps all versions.
type memoryStore struct {
	mu       sync.Mutex
	datasets map[string]*assay.Dataset
	samples  []*assay.Sample
	fail     error // what ImportDataset answers, if set
}

func newMemoryStore() *memoryStore { return &memoryStore{datasets: map[string]*assay.Dataset{}} }

// content is what makes a sample another version.
func content(s *assay.Sample) string {
	c := *s
	c.Version, c.Latest = 0, false
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (m *memoryStore) ImportDataset(_ context.Context, d *assay.Dataset, samples []*assay.Sample) (ImportResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return ImportResult{}, m.fail
	}
	var r ImportResult
	m.datasets[d.Name] = d
	given := map[string]bool{}
	for _, s := range samples {
		given[s.ID] = true
		c := *s
		c.Version, c.Latest = 1, true
		latest := m.latest(d.Name, s.ID)
		switch {
		case latest == nil:
			r.Added++
		case content(latest) == content(s):
			r.Unchanged++
			continue
		default:
			r.Changed++
			c.Version = latest.Version + 1
			latest.Latest = false
		}
		m.samples = append(m.samples, &c)
	}
	for _, s := range m.samples {
		if s.Dataset == d.Name && s.Latest && !given[s.ID] {
			s.Latest = false
			r.Removed++
		}
	}
	return r, nil
}

func (m *memoryStore) latest(dataset, id string) *assay.Sample {
	for _, s := range m.samples {
		if s.Dataset == dataset && s.ID == id && s.Latest {
			return s
		}
	}
	return nil
}

func (m *memoryStore) Datasets(context.Context) ([]*assay.Dataset, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*assay.Dataset
	for _, d := range m.datasets {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *assay.Dataset) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func (m *memoryStore) Dataset(_ context.Context, name string) (*assay.Dataset, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.datasets[name]
	if !ok {
		return nil, assay.Errorf(assay.CodeDatasetNotFound, "there is no dataset %s", name)
	}
	return d, nil
}

func (m *memoryStore) Sample(_ context.Context, dataset, id string, version int) (*assay.Sample, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.samples {
		if s.Dataset == dataset && s.ID == id && (s.Version == version || version == 0 && s.Latest) {
			c := *s
			return &c, nil
		}
	}
	return nil, assay.Errorf(assay.CodeSampleNotFound, "there is no sample %s", id)
}

func (m *memoryStore) Samples(_ context.Context, q Query, fn func(*assay.Sample) error) error {
	for _, s := range m.matching(q) {
		if err := fn(s); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryStore) CountSamples(_ context.Context, q Query) (int, error) {
	return len(m.matching(q)), nil
}

func (m *memoryStore) matching(q Query) []*assay.Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*assay.Sample
	for _, s := range m.samples {
		if s.Latest && (q.Dataset == "" || s.Dataset == q.Dataset) && strings.Contains(s.ID, q.Search) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *assay.Sample) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
