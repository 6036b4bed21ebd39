package dataset

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
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

	runs        []*Run
	failRun     error // what AddValidationRun answers, if set
	conclusions []*Conclusion
	quarantines map[string][]string // by sample
	answersSet  map[string]bool     // by an operator
	judgingSaid map[string]assay.Judging
	judgingSet  map[string]assay.Judging // by an operator
}

func newMemoryStore() *memoryStore {
	return &memoryStore{datasets: map[string]*assay.Dataset{}, quarantines: map[string][]string{}, answersSet: map[string]bool{},
		judgingSaid: map[string]assay.Judging{}, judgingSet: map[string]assay.Judging{}}
}

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
	stored := *d
	if stored.Answers == "" {
		stored.Answers = assay.AnswersUsers
	}
	if old := m.datasets[d.Name]; old != nil && (d.Answers == "" || m.answersSet[d.Name]) {
		stored.Answers = old.Answers
	}
	m.judgingSaid[d.Name] = d.Judging
	m.datasets[d.Name] = &stored
	given := map[string]bool{}
	for _, s := range samples {
		given[s.ID] = true
		s, err := LayQuarantine(s, m.quarantines[s.ID])
		if err != nil {
			return ImportResult{}, err
		}
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
		all = append(all, m.readDataset(d))
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
	return m.readDataset(d), nil
}

// readDataset is a dataset with what is settled of it.
func (m *memoryStore) readDataset(d *assay.Dataset) *assay.Dataset {
	c := *d
	c.Judging = m.judging(d.Name)
	return &c
}

func (m *memoryStore) judging(name string) assay.Judging {
	return m.judgingSet[name].Over(m.judgingSaid[name])
}

func (m *memoryStore) Judging(ctx context.Context, name string) (assay.Judging, error) {
	d, err := m.Dataset(ctx, name)
	if err != nil {
		return assay.Judging{}, err
	}
	return d.Judging, nil
}

func (m *memoryStore) SetJudging(ctx context.Context, name string, change func(assay.Judging) (assay.Judging, error)) error {
	if _, err := m.Dataset(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	set, err := change(m.judgingSet[name])
	if err == nil {
		m.judgingSet[name] = set
	}
	return err
}

func (m *memoryStore) Sample(_ context.Context, dataset, id string, version int) (*assay.Sample, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.samples {
		if s.Dataset == dataset && s.ID == id && (s.Version == version || version == 0 && s.Latest) {
			return m.read(s), nil
		}
	}
	return nil, assay.Errorf(assay.CodeSampleNotFound, "there is no sample %s", id)
}

// read is a sample with what is set of its dataset.
func (m *memoryStore) read(s *assay.Sample) *assay.Sample {
	c := *s
	c.Answers, c.Judging = m.datasets[s.Dataset].Answers, m.judging(s.Dataset)
	return &c
}

func (m *memoryStore) SetAnswers(_ context.Context, name string, answers assay.Answers) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.datasets[name]
	if !ok {
		return assay.Errorf(assay.CodeDatasetNotFound, "there is no dataset %s", name)
	}
	d.Answers, m.answersSet[name] = answers, true
	return nil
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
			all = append(all, m.read(s))
		}
	}
	slices.SortFunc(all, func(a, b *assay.Sample) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (m *memoryStore) AddValidationRun(_ context.Context, r *Run) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failRun != nil {
		return m.failRun
	}
	m.runs = append(m.runs, r)
	return nil
}

func (m *memoryStore) ValidationRuns(_ context.Context, campaign, dataset, sampleID string, version int) ([]*Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*Run
	for _, r := range m.runs {
		if r.Campaign == campaign && r.Dataset == dataset && r.SampleID == sampleID && r.SampleVersion == version {
			all = append(all, r)
		}
	}
	return all, nil
}

func (m *memoryStore) LastCampaign(context.Context, string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.runs) == 0 {
		return "", nil
	}
	return m.runs[len(m.runs)-1].Campaign, nil
}

func (m *memoryStore) SetConclusion(_ context.Context, c *Conclusion) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conclusions = append(m.conclusions, c)
	return nil
}

func (m *memoryStore) Narrow(_ context.Context, dataset, sampleID string, version int) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	narrow := false
	for _, c := range m.conclusions {
		if c.Dataset == dataset && c.SampleID == sampleID && c.SampleVersion == version {
			narrow = c.Narrow
		}
	}
	return narrow, nil
}

func (m *memoryStore) Quarantines(context.Context, string) (map[string][]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.quarantines), nil
}

func (m *memoryStore) SetQuarantine(_ context.Context, dataset, sampleID string, tests []string) (*assay.Sample, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.latest(dataset, sampleID)
	next, err := LayQuarantine(LiftQuarantine(old, m.quarantines[sampleID]), tests)
	if err != nil {
		return nil, err
	}
	m.quarantines[sampleID] = tests
	if content(next) == content(old) {
		return old, nil
	}
	c := *next
	c.Version, c.Latest = old.Version+1, true
	old.Latest = false
	m.samples = append(m.samples, &c)
	return &c, nil
}
