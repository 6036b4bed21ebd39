package search

import (
	"context"
	"errors"
	"slices"
	"strings"

	"assay/internal/alteration"
)

// tellExpected finds which edits are of what a test expects, and not of what it puts in:
// they stand in an assertion of exact equality, and another edit of the same token leaves
// what the reference fix printed as it was. It returns the second edits that were found to
// be alterations, too.
func (d *discovery) tellExpected(ctx context.Context, all []*found, expected map[*found]bool) (more []*found, err error) {
	pairs := make(map[*found]*found)
	var left []*found
	for _, f := range all {
		if !f.EqualityOperand || f.Known || f.Conspicuous != "" || len(f.tests) == 0 || !slices.ContainsFunc(f.tests, func(id string) bool { return d.solves[id] }) {
			continue
		}
		if pairs[f] = sibling(f, all); pairs[f] == nil {
			left = append(left, f)
		}
	}
	for len(left) > 0 {
		batch, rest := apart(left)
		seconds, err := d.seconds(ctx, batch)
		for _, f := range batch {
			if pairs[f] = sibling(f, seconds); pairs[f] != nil {
				more = append(more, pairs[f])
			}
		}
		if errors.Is(err, errSpent) {
			break
		}
		if err != nil {
			return more, err
		}
		left = rest
	}
	for f, other := range pairs {
		if other != nil && sameGot(f, other) {
			expected[f], expected[other] = true, true
		}
	}
	return more, nil
}

// apart takes of what was found what has no test in common, by the tests that fail for no
// other one's sake.
func apart(all []*found) (batch, rest []*found) {
	taken := make(map[string]bool)
	for _, f := range all {
		own := leaves(f.tests)
		if slices.ContainsFunc(own, func(id string) bool { return taken[id] }) {
			rest = append(rest, f)
			continue
		}
		for _, id := range own {
			taken[id] = true
		}
		batch = append(batch, f)
	}
	return batch, rest
}

// sibling returns a found edit of the same token.
func sibling(f *found, all []*found) *found {
	i := slices.IndexFunc(all, func(o *found) bool { return o != f && same(o.Edit, f.Edit) && o.New != f.New })
	if i < 0 {
		return nil
	}
	return all[i]
}

// seconds tries another edit of the token of each of what was found, which has no test in
// common.
func (d *discovery) seconds(ctx context.Context, all []*found) ([]*found, error) {
	var batch []set
	for _, f := range all {
		q := d.queues[group(f.Edit)]
		i := slices.IndexFunc(q.left, func(e alteration.Edit) bool { return same(e, f.Edit) && e.New != f.New })
		if i < 0 {
			continue
		}
		batch = append(batch, set{q, []alteration.Edit{q.left[i]}})
		q.left = slices.Delete(q.left, i, i+1)
	}
	kept, err := d.try(ctx, batch)
	for _, f := range kept {
		d.note(f)
	}
	return kept, err
}

// sameGot tells whether the code under test gave the same in both runs, as the failures
// say.
func sameGot(a, b *found) bool {
	for _, id := range a.tests {
		one, two := gots(a, id), gots(b, id)
		if slices.ContainsFunc(one, func(got string) bool { return slices.Contains(two, got) }) {
			return true
		}
	}
	return false
}

// gots are the values that a failure sets against the one that an edit made.
func gots(f *found, id string) []string {
	made := bare(f.New)
	var values []string
	for _, failure := range alteration.ParseGot(alteration.LanguageOf(f.File), f.said[id]) {
		switch one, two := strings.Contains(bare(failure.Got), made), strings.Contains(bare(failure.Want), made); {
		case two && !one:
			values = append(values, failure.Got)
		case one && !two:
			values = append(values, failure.Want)
		}
	}
	return values
}

// bare is a value without what parts and quotes its elements, which runners write in other
// ways than sources.
func bare(value string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"'`,[]{}() \t", r) {
			return -1
		}
		return r
	}, value)
}
