package steering

// Line is a line that a change added.
type Line struct {
	Number int // in the changed file, from 1
	Text   string
}

// Suspicion is a sign, in a line of code, that it reaches for what judges it. It is
// shown to people and decides nothing.
type Suspicion struct {
	Path string
	Line int
	Why  string // a sentence for people, without its full stop
}

// telling returns the names that would hardly stand in code by chance.
func telling(names []string) []string { return nil }

func (g *Guard) Suspicions(name string, added []Line) []Suspicion { return nil }
