package dataset

import (
	"context"
	"fmt"
	"strings"

	"assay"
)

// Reader is who reads samples over the API.
type Reader bool

// The readers. The zero value is the one who may see least.
const (
	Anybody Reader = false // somebody without a token
	User    Reader = true
)

// ViewOf returns a sample as a reader may see it: itself, or a copy without the answers
// when its dataset does not open them to the reader.
func ViewOf(s *assay.Sample, reader Reader) *assay.Sample {
	if s.Answers.OpenTo(bool(reader)) {
		return s
	}
	return withhold(s)
}

// withhold returns a copy without the answers and what tells of them. The verifier is
// one: its command may hold the tests themselves, its canaries lie beside them.
func withhold(s *assay.Sample) *assay.Sample {
	c := *s
	c.Withheld = true
	c.Patch, c.NonCodePatch, c.TestPatch = "", "", ""
	c.FailToPass, c.PassToPass, c.FailToFail = []string{}, []string{}, []string{}
	c.VersionDescription = unnamed(s.VersionDescription, s.Task.Verifier.Quarantined)
	c.Task.Verifier = assay.Verifier{Kind: s.Task.Verifier.Kind}
	return &c
}

// unnamed is the description of a version without the name of a test in the note that
// an operator's quarantine left at its end.
func unnamed(description string, quarantined []string) string {
	for i := range quarantined {
		if text, ok := strings.CutSuffix(description, quarantineNote(quarantined[i:])); ok {
			return text + fmt.Sprintf(" [quarantined: %d tests]", len(quarantined)-i)
		}
	}
	return description
}

// SamplesFor is Samples, each as a reader may see it when it is read.
func (s *Service) SamplesFor(ctx context.Context, reader Reader, q Query, fn func(*assay.Sample) error) error {
	return s.Samples(ctx, q, func(sample *assay.Sample) error { return fn(ViewOf(sample, reader)) })
}

// SampleFor is Sample, as a reader may see it. A Bundle of it has no more.
func (s *Service) SampleFor(ctx context.Context, reader Reader, dataset, id string, version int) (*assay.Sample, error) {
	sample, err := s.Sample(ctx, dataset, id, version)
	if err != nil {
		return nil, err
	}
	return ViewOf(sample, reader), nil
}

// Dataset returns a dataset: dataset_not_found.
func (s *Service) Dataset(ctx context.Context, name string) (*assay.Dataset, error) {
	d, err := s.store.Dataset(ctx, name)
	if err != nil {
		return nil, err
	}
	d.Judging = d.Judging.Over(s.judging)
	return d, nil
}

// SetAnswers says who reads the answers of a dataset over the API, from now on and
// whatever its folder says: dataset_not_found, invalid_request. It returns the dataset.
func (s *Service) SetAnswers(ctx context.Context, name string, answers assay.Answers) (*assay.Dataset, error) {
	if !answers.Valid() {
		return nil, assay.Errorf(assay.CodeInvalid, "answers are public, users or operators, not %q", answers)
	}
	if err := s.store.SetAnswers(ctx, name, answers); err != nil {
		return nil, err
	}
	return s.Dataset(ctx, name)
}
