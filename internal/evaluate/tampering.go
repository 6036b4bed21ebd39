package evaluate

import (
	"fmt"
	"slices"

	"assay"
	"assay/internal/steering"
)

// maxTampering bounds what a verdict tells of tampering, in lines: of alarms, and of what
// is none, so that nothing can be hidden behind harmless things.
const maxTampering = 200

// tamperings gathers what the work did to its own judging, each thing once.
type tamperings struct {
	alarms, others told
}

// told is a list that is bounded.
type told struct {
	found []assay.Tampering
	more  int // beyond maxTampering
}

// add tells of one thing, unless its ruling says that honest work leaves it, too.
func (t *tamperings) add(r steering.Ruling, path, detail string) {
	one := assay.Tampering{Kind: assay.TamperingKind(r.Kind), Path: path, Detail: detail}
	switch {
	case r.Kind == "":
	case one.Kind.Alarm():
		t.alarms.add(one)
	default:
		t.others.add(one)
	}
}

func (l *told) add(one assay.Tampering) {
	switch {
	case slices.Contains(l.found, one):
	case len(l.found) == maxTampering:
		l.more++
	default:
		l.found = append(l.found, one)
	}
}

// all returns everything that was found, alarms first, and how much was left out.
func (t *tamperings) all() []assay.Tampering {
	var all []assay.Tampering
	for _, l := range []told{t.alarms, t.others} {
		all = append(all, l.found...)
		if l.more > 0 {
			all = append(all, assay.Tampering{Kind: l.found[0].Kind, Detail: fmt.Sprintf("and %d more", l.more)})
		}
	}
	return all
}
