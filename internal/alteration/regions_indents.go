package alteration

import "strings"

// indentedRegions finds functions and classes by their indentation, with their
// decorators. A function within a function is a part of it. Tabs count as one column:
// who mixes them with spaces gets regions that are cut short.
func (t *tree) indentedRegions() []Region {
	type open struct {
		name   string
		kind   RegionKind
		column int
		from   int
		class  bool
	}
	var list []Region
	var stack []open
	decorated := -1
	for i := 0; i < len(t.toks); i++ {
		if !t.fresh[i] || t.up[i] >= 0 || t.match[i] < i { // also not where brackets end
			continue
		}
		column := t.toks[i].Start - t.lines[t.line(t.toks[i].Start)]
		for len(stack) > 0 && column <= stack[len(stack)-1].column {
			o := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			list = append(list, t.region(o.name, o.kind, o.from, i))
		}
		if t.op(i, "@") {
			if decorated < 0 {
				decorated = i
			}
			continue
		}
		word := i
		if t.keyword(word, "async") {
			word++
		}
		within := len(stack) > 0 && !stack[len(stack)-1].class
		o := open{name: t.text(word + 1), column: column, from: i, class: t.keyword(word, "class")}
		if decorated >= 0 {
			o.from = decorated
		}
		decorated = -1
		switch {
		case within:
			continue
		case t.keyword(word, "def"):
			if strings.HasPrefix(o.name, "test") {
				o.kind = Test
			}
		case o.class:
			o.kind = Group
		case column == 0 && t.is(i, Name) && (t.op(i+1, "=") || t.op(i+1, ":")):
			o.name = t.text(i)
		default:
			continue
		}
		stack = append(stack, o)
	}
	for _, o := range stack {
		list = append(list, t.region(o.name, o.kind, o.from, len(t.toks)))
	}
	return list
}
