package rounds

import (
	"fmt"
	"maps"
	"slices"

	"assay/internal/alteration"
	"assay/internal/evaluate"
)

// showing is one version of the tests: of each unit, what is altered in it.
type showing struct {
	altered map[*unit]int // alterations; a unit that is not in it is shown true
	fresh   []int         // fresh versions that are laid
}

// show completes a showing by what is fresh in it.
func (p *plan) show(altered map[*unit]int) showing {
	shown := slices.Collect(maps.Values(altered))
	s := showing{altered: altered}
	for _, f := range p.fresh {
		if p.layable([]int{f}, shown) {
			s.fresh = append(s.fresh, f)
		}
	}
	return s
}

func (p *plan) edits(s showing) []alteration.Edit {
	var edits []alteration.Edit
	for _, i := range s.altered {
		edits = append(edits, p.edit(i))
	}
	for _, f := range s.fresh {
		edits = append(edits, p.known.Fresh[f].Edits...)
	}
	return edits
}

// texts are the true texts, by path, of all test files that a play may edit.
type texts map[string][]byte

// textsOf takes what is edited of a sample's tests.
func (p *plan) textsOf(tree *evaluate.TestTree) (texts, error) {
	all := maps.Clone(texts(tree.Others))
	if all == nil {
		all = make(texts)
	}
	for _, f := range tree.Changed {
		all[f.Path] = f.After
	}
	edited := make(texts)
	take := func(edits ...alteration.Edit) error {
		for _, e := range edits {
			text, there := all[e.File]
			if !there {
				return fmt.Errorf("read the tests: there is no %s", e.File)
			}
			edited[e.File] = text
		}
		return nil
	}
	for _, u := range p.units {
		for _, i := range u.alterations {
			if err := take(p.edit(i)); err != nil {
				return nil, err
			}
		}
	}
	for i := range p.known.Fresh {
		if err := take(p.known.Fresh[i].Edits...); err != nil {
			return nil, err
		}
	}
	return edited, nil
}

// with returns the files of a version of the tests. They are always the same files, also
// where all of them are true: nothing in the room is to tell which are.
func (t texts) with(edits ...alteration.Edit) (map[string][]byte, error) {
	byFile := make(map[string][]alteration.Edit)
	for _, e := range edits {
		byFile[e.File] = append(byFile[e.File], e)
	}
	files := make(map[string][]byte, len(t))
	for name, text := range t {
		made, err := alteration.Apply(text, byFile[name]...)
		if err != nil {
			return nil, err
		}
		files[name] = made
	}
	return files, nil
}
