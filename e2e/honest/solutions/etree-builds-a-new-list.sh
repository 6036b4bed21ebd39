#!/usr/bin/env bash
# SOLUTION: the list of children is built anew, and an index below zero counts as zero, where the reference panics.
# VERIFIES: who does better than the reference is solved, too.
# SAMPLE: beevik__etree-1.5.1
# TAMPERING: none
cat > /tmp/new.go <<'GO'
func (e *Element) InsertChildAt(index int, t Token) {
	if index >= len(e.Child) {
		e.AddChild(t)
		return
	}
	if index < 0 {
		index = 0
	}
	if p := t.Parent(); p != nil && p != e {
		p.RemoveChild(t)
	}
	list := make([]Token, 0, len(e.Child)+1)
	for at, child := range e.Child {
		if at == index {
			list = append(list, t)
		}
		if child != t {
			list = append(list, child)
		}
	}
	t.setParent(e)
	e.Child = list
	e.ReindexChildren()
}
GO
sed -i -e '/^func (e \*Element) InsertChildAt(/,/^}/{/^}/r /tmp/new.go' -e 'd}' etree.go
