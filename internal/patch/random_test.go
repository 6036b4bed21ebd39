package patch

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

var oddNames = []string{
	"plain", "dir/plain", "dir/sub/deep", "two words", "dir/ä", "日本/語", "tab\there", "quote\"here", "back\\slash", "new\nline",
	" leading", "trailing ", "a", "b/a", "-dash", "+plus", "@@ -1 +1 @@", "bytes\xff\xfe", "dev/null", ".hidden",
}

func randomTree(rnd *rand.Rand) memoryTree {
	tree := memoryTree{}
	for range 3 + rnd.IntN(10) {
		name := oddNames[rnd.IntN(len(oddNames))]
		if rnd.IntN(2) == 0 {
			name = fmt.Sprintf("%s-%d", name, rnd.IntN(100))
		}
		tree.put(name, randomNode(rnd))
	}
	return tree
}

// put adds a file where neither a file lies above it nor anything below it.
func (m memoryTree) put(name string, n node) {
	for other := range m {
		if below(other, name) || below(name, other) {
			return
		}
	}
	m[name] = n
}

func randomNode(rnd *rand.Rand) node {
	modes := []fs.FileMode{0o644, 0o644, 0o755}
	mode := modes[rnd.IntN(len(modes))]
	switch rnd.IntN(10) {
	case 0:
		return node{nil, mode}
	case 1:
		return node{randomBytes(rnd, 50+rnd.IntN(3000)), mode}
	case 2:
		return node{[]byte(fmt.Sprintf("target/%d", rnd.IntN(100))), fs.ModeSymlink | 0o777}
	}
	return node{randomLines(rnd, rnd.IntN(60)), mode}
}

func randomBytes(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	b[rnd.IntN(n)] = 0 // so that git takes it for binary
	return b
}

// randomLines repeats itself, ends lines in both ways, and may lack the last end.
func randomLines(rnd *rand.Rand, n int) []byte {
	var b bytes.Buffer
	end := []string{"\n", "\n", "\r\n"}[rnd.IntN(3)]
	for range n {
		fmt.Fprintf(&b, "%s%d%s", strings.Repeat(" ", rnd.IntN(4)), rnd.IntN(12), end)
	}
	if rnd.IntN(4) == 0 {
		return bytes.TrimRight(b.Bytes(), "\r\n")
	}
	return b.Bytes()
}

// edit changes, adds and removes some lines.
func edit(rnd *rand.Rand, content []byte) []byte {
	lines := splitLines(content)
	for range 1 + rnd.IntN(4) {
		at := rnd.IntN(len(lines) + 1)
		switch rnd.IntN(4) {
		case 0:
			lines = slices.Insert(lines, at, fmt.Sprintf("new %d\n", rnd.IntN(1000)))
		case 1:
			lines = slices.Insert(lines, at, "one\n", "\n", "three\n")
		case 2:
			if at < len(lines) {
				lines = slices.Delete(lines, at, at+1)
			}
		case 3:
			if at < len(lines) {
				lines[at] = fmt.Sprintf("changed %d\n", rnd.IntN(1000))
			}
		}
	}
	return []byte(strings.Join(lines, ""))
}

// change returns a copy of a tree with some files edited, moved, copied and so on.
func change(rnd *rand.Rand, tree memoryTree) memoryTree {
	after := maps.Clone(tree)
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		n := tree[name]
		text := n.mode.IsRegular() && !bytes.Contains(n.content, []byte{0})
		switch rnd.IntN(9) {
		case 0:
			delete(after, name)
		case 1:
			if n.mode.IsRegular() {
				n.mode ^= 0o111
				after[name] = n
			}
		case 2:
			delete(after, name)
			after.put(name+".moved", n)
		case 3:
			if text {
				delete(after, name)
				after.put("moved/"+name, node{edit(rnd, n.content), n.mode})
			}
		case 4:
			after.put(name+" (copy)", n)
		case 5:
			after[name] = randomNode(rnd)
		case 6, 7:
			if text {
				after[name] = node{edit(rnd, n.content), n.mode}
			}
		}
	}
	for range rnd.IntN(3) {
		after.put(oddNames[rnd.IntN(len(oddNames))], randomNode(rnd))
	}
	if rnd.IntN(3) == 0 {
		swapTwo(rnd, after)
	}
	return after
}

func swapTwo(rnd *rand.Rand, tree memoryTree) {
	names := slices.Sorted(maps.Keys(tree))
	if len(names) < 2 {
		return
	}
	a, b := names[rnd.IntN(len(names))], names[rnd.IntN(len(names))]
	tree[a], tree[b] = tree[b], tree[a]
}
