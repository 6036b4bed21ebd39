#!/usr/bin/env bash
# SOLUTION: the child at the index is remembered, and the token goes before it once it was taken out.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: beevik__etree-1.5.1
# TAMPERING: none
cat > /tmp/new.go <<'GO'
func (e *Element) InsertChildAt(index int, t Token) {
	if index >= len(e.Child) {
		e.AddChild(t)
		return
	}
	if next := e.Child[index]; next != t {
		e.InsertChild(next, t)
	}
}
GO
sed -i -e '/^func (e \*Element) InsertChildAt(/,/^}/{/^}/r /tmp/new.go' -e 'd}' etree.go
