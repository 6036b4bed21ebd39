package alteration

import "slices"

// filled are texts for a cell of a table that is empty, where other rows' are not: theirs, with
// a character changed.
func (s *search) filled(i int) []string {
	p := s.purposes[i]
	if p.table < 0 {
		return nil
	}
	t := s.tableAt(p.table)
	if r, ok := t.at(p.row); !ok || r.value(p.column) != s.text(i) {
		return nil
	}
	const most, tries = 2, 8
	var list []string
	for n, at := range s.rng.Perm(len(t.rows)) {
		if n == tries || len(list) == most {
			break
		}
		if v := s.resembling(t.rows[at].value(p.column)); v != "" && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

// resembling is a string in quotes with a character changed; "" where that cannot be.
func (s *search) resembling(text string) string {
	if kind, whole := one(s.lang, text); !whole || kind != String {
		return ""
	}
	from, to, ok := inner(s.lang, String, text)
	if !ok || from >= to {
		return ""
	}
	body := text[from:to]
	for _, v := range s.substitutions(body, s.fromTheMiddle(body, editable(body))) {
		if v = text[:from] + v + text[to:]; s.stays(String, v) {
			return v
		}
	}
	return ""
}
