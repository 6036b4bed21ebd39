package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay"
)

// An operator's quarantine is kept beside the samples, by test. What follows from it
// is a version of the sample with these tests in Verifier.Quarantined, so that each
// verdict can be made again from the version that it names. An import lays the
// quarantine over the rows it read, so that importing the same folder changes nothing.

// LayQuarantine returns the sample as it is with these tests quarantined by an operator:
// those that are expected and that the sample does not quarantine itself. At least one
// fail_to_pass test must be left: invalid_request.
func LayQuarantine(s *assay.Sample, tests []string) (*assay.Sample, error) {
	laid := *s
	laid.Task.Verifier.Quarantined = slices.Clone(s.Task.Verifier.Quarantined)
	for _, test := range slices.Sorted(slices.Values(tests)) {
		if expects(s, test) && !slices.Contains(laid.Task.Verifier.Quarantined, test) {
			laid.Task.Verifier.Quarantined = append(laid.Task.Verifier.Quarantined, test)
		}
	}
	added := laid.Task.Verifier.Quarantined[len(s.Task.Verifier.Quarantined):]
	if len(added) == 0 {
		return s, nil
	}
	if !gradesFix(s.FailToPass, laid.Task.Verifier.Quarantined) {
		return nil, assay.Errorf(assay.CodeInvalid, "sample %s: with all of its fail_to_pass tests in quarantine nothing could show that it is solved", s.ID)
	}
	laid.VersionDescription = s.VersionDescription + quarantineNote(added)
	return &laid, nil
}

// LiftQuarantine is the reverse of LayQuarantine.
func LiftQuarantine(s *assay.Sample, tests []string) *assay.Sample {
	lifted := *s
	lifted.Task.Verifier.Quarantined = nil
	var removed []string
	for _, test := range s.Task.Verifier.Quarantined {
		if slices.Contains(tests, test) {
			removed = append(removed, test)
		} else {
			lifted.Task.Verifier.Quarantined = append(lifted.Task.Verifier.Quarantined, test)
		}
	}
	lifted.VersionDescription = strings.TrimSuffix(s.VersionDescription, quarantineNote(removed))
	return &lifted
}

// quarantineNote ends the description of a version that an operator's quarantine made.
func quarantineNote(tests []string) string {
	switch len(tests) {
	case 0:
		return ""
	case 1:
		return " [quarantined: " + tests[0] + "]"
	default:
		return fmt.Sprintf(" [quarantined: %s and %d more]", tests[0], len(tests)-1)
	}
}

// gradesFix tells whether a fail_to_pass test is left that is graded, if there is any.
func gradesFix(failToPass, quarantined []string) bool {
	return len(failToPass) == 0 || slices.ContainsFunc(failToPass, func(test string) bool { return !slices.Contains(quarantined, test) })
}

func expects(s *assay.Sample, test string) bool {
	return slices.Contains(s.FailToPass, test) || slices.Contains(s.PassToPass, test) || slices.Contains(s.FailToFail, test)
}

// Quarantines returns the tests that operators have quarantined, by sample.
func (s *Service) Quarantines(ctx context.Context, dataset string) (map[string][]string, error) {
	if err := s.known(ctx, dataset); err != nil {
		return nil, err
	}
	return s.store.Quarantines(ctx, dataset)
}

// Quarantine keeps these tests of a sample from being graded, beside those that are not
// already: the sample gets a new version. At least one fail_to_pass test must be left,
// and the sample must expect the tests: invalid_request. It returns the latest version.
func (s *Service) Quarantine(ctx context.Context, dataset, sampleID string, tests []string) (*assay.Sample, error) {
	sample, before, err := s.quarantined(ctx, dataset, sampleID)
	if err != nil {
		return nil, err
	}
	after := slices.Clone(before)
	for _, test := range tests {
		if !expects(sample, test) {
			return nil, assay.Errorf(assay.CodeInvalid, "sample %s has no test %q in its lists", sampleID, test)
		}
		if !slices.Contains(sample.Task.Verifier.Quarantined, test) {
			after = append(after, test)
		}
	}
	return s.store.SetQuarantine(ctx, dataset, sampleID, after)
}

// Release takes tests of a sample out of the operator's quarantine, all of them when
// none is named. A test that is not in it is invalid_request. It returns the latest
// version.
func (s *Service) Release(ctx context.Context, dataset, sampleID string, tests []string) (*assay.Sample, error) {
	_, before, err := s.quarantined(ctx, dataset, sampleID)
	if err != nil {
		return nil, err
	}
	for _, test := range tests {
		if !slices.Contains(before, test) {
			return nil, assay.Errorf(assay.CodeInvalid, "test %q of sample %s is not in quarantine", test, sampleID)
		}
	}
	after := slices.DeleteFunc(slices.Clone(before), func(test string) bool { return len(tests) == 0 || slices.Contains(tests, test) })
	return s.store.SetQuarantine(ctx, dataset, sampleID, after)
}

func (s *Service) quarantined(ctx context.Context, dataset, sampleID string) (*assay.Sample, []string, error) {
	sample, err := s.store.Sample(ctx, dataset, sampleID, 0)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.store.Quarantines(ctx, dataset)
	return sample, all[sampleID], err
}

// FlakyTests returns the tests that flaked in the last campaign and are graded, by
// sample: of these samples, or of all when none is named.
func (s *Service) FlakyTests(ctx context.Context, dataset string, ids []string) (map[string][]string, error) {
	if err := s.known(ctx, dataset); err != nil {
		return nil, err
	}
	campaign, err := s.store.LastCampaign(ctx, dataset)
	if err != nil {
		return nil, err
	}
	flaky := map[string][]string{}
	err = s.eachSample(ctx, dataset, ids, func(sample *assay.Sample) error {
		runs, err := s.store.ValidationRuns(ctx, campaign, dataset, sample.ID, sample.Version)
		if err != nil {
			return err
		}
		for _, t := range flakes(sample, counting(runs, s.imageDigest(ctx, sample), 0)) {
			if !t.Quarantined && !slices.Contains(flaky[sample.ID], t.Test) {
				flaky[sample.ID] = append(flaky[sample.ID], t.Test)
			}
		}
		return nil
	})
	return flaky, err
}

// QuarantineFlaky quarantines the FlakyTests. A sample of which nothing would be left to
// grade is told in the error; the others are done. It returns the new versions.
func (s *Service) QuarantineFlaky(ctx context.Context, dataset string, ids []string) ([]*assay.Sample, error) {
	flaky, err := s.FlakyTests(ctx, dataset, ids)
	if err != nil {
		return nil, err
	}
	var (
		changed []*assay.Sample
		refused []error
	)
	for id, tests := range flaky {
		sample, err := s.Quarantine(ctx, dataset, id, tests)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		changed = append(changed, sample)
	}
	slices.SortFunc(changed, func(a, b *assay.Sample) int { return strings.Compare(a.ID, b.ID) })
	return changed, errors.Join(refused...)
}
