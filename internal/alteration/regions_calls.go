package alteration

// groups are calls that hold tests and are none.
var groups = words("describe suite context xdescribe fdescribe")

// manners are how a test is run: it.only, test.concurrent.
var manners = words("only skip concurrent serial sequential failing fails todo each skipIf runIf")

// calledRegions finds calls that are given the name of a test and its function, and what
// is declared at the top beside them.
func (t *tree) calledRegions() []Region {
	var list []Region
	for i := range t.toks {
		name := t.titled(i)
		if name < 0 || t.function(i) < 0 {
			continue
		}
		args := t.elements(i)
		if len(args) < 2 || !t.is(args[0].from, String) && !t.is(args[0].from, Template) {
			continue
		}
		title := t.inside(args[0].from)
		if args[0].to > args[0].from+1 { // made when it runs
			title = string(t.src[t.toks[args[0].from].Start:t.toks[args[0].to-1].End])
		}
		kind := Test
		if in(groups, t.text(name)) {
			kind = Group
		}
		list = append(list, t.region(title, kind, name, t.match[i]+1))
	}
	for i := 0; i < len(t.toks); i++ {
		if t.up[i] >= 0 || t.head[i] != i || !t.is(i, Keyword) {
			continue
		}
		switch t.text(i) {
		case "var", "let", "const", "function", "class", "async", "export":
		default:
			continue
		}
		end := i + 1
		for end < len(t.toks) && (t.up[end] >= 0 || t.head[end] == i) {
			end++
		}
		name := i
		for name < end && !t.is(name, Name) {
			name++
		}
		if name < end {
			list = append(list, t.region(t.text(name), Shared, i, end))
		}
		i = end - 1
	}
	return list
}

// titled returns the name by which a call takes a test's title, or -1: test(...),
// t.test(...), describe.only(...), it.each(table)(...).
func (t *tree) titled(open int) int {
	if t.kind[open] != call {
		return -1
	}
	if t.op(open-1, ")") {
		inner := t.match[open-1]
		if t.kindOf(inner) != call {
			return -1
		}
		if name := t.callee(inner); name >= 0 && in(manners, t.text(name)) && in(t.lang.Style.Titles, t.receiver(name)) {
			return name - 2
		}
		// require('tape')('title', function (t) {})
		if t.called(inner) == "require" {
			return t.callee(inner)
		}
		return -1
	}
	name := t.callee(open)
	if name < 0 {
		return -1
	}
	if in(manners, t.text(name)) && in(t.lang.Style.Titles, t.receiver(name)) {
		return name - 2
	}
	if in(t.lang.Style.Titles, t.text(name)) {
		return name
	}
	return -1
}

// parameters returns the names of the first parameters of the functions that tests are.
// Assertions are asked of them: test('...', t => t.equal(...)).
func (t *tree) parameters() map[string]bool {
	names := map[string]bool{}
	for i := range t.toks {
		if t.titled(i) < 0 {
			continue
		}
		word := t.function(i)
		if word < 0 {
			continue
		}
		first := word + 1
		if t.op(word, "=>") {
			first = word - 1
			if t.op(first, ")") {
				first = t.match[first] + 1
			}
		} else {
			for first < len(t.toks) && !t.op(first, "(") {
				first++
			}
			first++
		}
		if t.is(first, Name) {
			names[t.text(first)] = true
		}
	}
	return names
}
