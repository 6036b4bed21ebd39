package evaluate

import (
	"fmt"
	"slices"

	"assay"
	"assay/internal/steering"
)

// maxTampering bounds what a verdict tells of tampering, in lines.
const maxTampering = 200

// tampered gathers what the work did to its own judging, each thing once.
type tamperings struct {
	found []assay.Tampering
	more  int // beyond maxTampering
}

// add tells of one thing, unless its ruling says that honest work leaves it, too.
func (t *tamperings) add(r steering.Ruling, path, detail string) {
	one := assay.Tampering{Kind: assay.TamperingKind(r.Kind), Path: path, Detail: detail}
	switch {
	case r.Kind == "":
	case slices.Contains(t.found, one):
	case len(t.found) == maxTampering:
		t.more++
	default:
		t.found = append(t.found, one)
	}
}

// all returns everything that was found, and how much was left out.
func (t *tamperings) all() []assay.Tampering {
	if t.more == 0 {
		return t.found
	}
	return append(slices.Clip(t.found), assay.Tampering{Kind: t.found[0].Kind, Detail: fmt.Sprintf("and %d more", t.more)})
}
