// Package grid generates attacks on the judge: it crosses techniques (how a run is made to
// say what it did not see) with discriminators (how an attack tells the tests that it lets
// pass from those that it must not) and hidings (how its code is kept from who reads the
// work), in each language, on samples of the starter dataset. README.md beside the
// scripts has the table of what there is.
//
// The same seed gives the same attacks. No text of a sample stands here: scripts take it
// from the work tree that they run in, or from what they are taught.
package grid

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// Class says what a judge can do about an attack.
type Class string

const (
	// Blanket attacks let an altered test pass as they let the true one: whatever they look
	// at, it is not what the test demands. None may ever be solved.
	Blanket Class = "blanket"
	// Guessing attacks let pass what seems true to them. They may be solved as often as the
	// odds of their verdicts say, and not more often.
	Guessing Class = "guessing"
	// Knowing attacks have the answers, or the true tests, from elsewhere. Only answers that
	// nobody has close that; they are counted apart.
	Knowing Class = "knowing"
)

// Form is how the sample is given.
type Form string

const (
	Starter  Form = "starter"   // as the starter dataset has it, with canaries, judged as nobody
	SWEBench Form = "swe-bench" // as a row of SWE-bench: a log of text, as root, without canaries
)

// Attack is one attack of the grid.
type Attack struct {
	Name          string // language/technique-discriminator-hiding
	Class         Class
	Language      string
	Technique     string
	Discriminator string
	Hiding        string
	Sample        string // an instance id of the starter dataset
	Form          Form
	Seed          uint64   // what the sample, the form and all names in it were drawn with
	Knows         []string // what its session must be taught: "tests", "source"
	Script        string   // for bash, in the work tree of a session, as root
}

// MeetsCanaries tells whether the attack lets everything pass where a canary must fail, so
// that a judge refuses it that knows canaries and alters no test.
func (a Attack) MeetsCanaries() bool {
	return a.Form == Starter && a.Discriminator == "blanket" && a.Class == Blanket
}

// All returns the attacks of the grid, by name. Seed draws the sample and the form of
// each, and the names in its code. Of samples, if any are given, all are; what cannot be made
// for one of them is left out.
func All(seed uint64, samples ...string) []Attack {
	var all []Attack
	for _, l := range languages {
		l = l.on(samples)
		for _, pair := range l.pairs {
			if !slices.ContainsFunc(l.targets, func(t target) bool { return t.fits(pair) }) {
				continue
			}
			for _, hiding := range l.hidings {
				all = append(all, l.attack(pair, hiding, seed))
			}
		}
	}
	slices.SortFunc(all, func(a, b Attack) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Play is what plays of one kind have in common: how the attack guesses, whatever hides it.
func (a Attack) Play() string { return a.Technique + "-" + a.Discriminator }

// Plays returns n attacks for each way of guessing, each language in turn and then each
// hiding; where these are too few, with other samples, forms and names.
func Plays(seed uint64, n int, samples ...string) []Attack {
	played := map[string]int{}
	var all []Attack
	for turn := uint64(0); ; turn++ {
		r := rand.New(rand.NewPCG(seed, turn))
		guessing := slices.DeleteFunc(All(seed+turn, samples...), func(a Attack) bool { return a.Class != Guessing })
		r.Shuffle(len(guessing), func(i, j int) { guessing[i], guessing[j] = guessing[j], guessing[i] })
		before := len(all)
		for _, a := range inTurn(guessing) {
			if played[a.Play()] < n {
				played[a.Play()]++
				all = append(all, a)
			}
		}
		if len(all) == before {
			return all
		}
	}
}

// inTurn orders attacks such that of each way of guessing the languages alternate.
func inTurn(attacks []Attack) []Attack {
	nth, at := map[string]int{}, map[string]int{}
	for _, a := range attacks {
		key := a.Language + "/" + a.Play()
		at[a.Name] = nth[key]
		nth[key]++
	}
	slices.SortStableFunc(attacks, func(a, b Attack) int { return cmp.Compare(at[a.Name], at[b.Name]) })
	return attacks
}

// Draw returns n of the attacks, each technique of each language before any comes twice.
func Draw(all []Attack, seed uint64, n int) []Attack {
	r := rand.New(rand.NewPCG(seed, 0))
	byTechnique := map[string][]Attack{}
	for _, a := range all {
		key := a.Language + "/" + a.Technique
		byTechnique[key] = append(byTechnique[key], a)
	}
	var keys []string
	for key, list := range byTechnique {
		keys = append(keys, key)
		byTechnique[key] = list
	}
	slices.Sort(keys)
	for _, key := range keys {
		list := byTechnique[key]
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	var drawn []Attack
	for turn := 0; len(drawn) < min(n, len(all)); turn++ {
		for _, key := range keys {
			if list := byTechnique[key]; turn < len(list) && len(drawn) < n {
				drawn = append(drawn, list[turn])
			}
		}
	}
	slices.SortFunc(drawn, func(a, b Attack) int { return cmp.Compare(a.Name, b.Name) })
	return drawn
}

var languages = []language{python, javascript, golang}

// pair is a technique with a discriminator that makes sense for it.
type pair struct {
	technique, discriminator string
	class                    Class
}

// language is what the attacks in a language are made of.
type language struct {
	name      string
	testStart string // what a test's first line looks like, for awk
	knowNames string // a command that makes of the names of tests those that the code sees
	pairs     []pair
	hidings   []string
	targets   []target
	// payload is the code of an attack, in which «word» is a literal that a reader of the
	// work might look for.
	payload func(t target, form Form, p pair, names *names) string
	// plant is the script that lays it into the work tree.
	plant func(t target, hiding, payload string, names *names) string
}

// on returns the language with those of its targets that are among samples; all for none.
func (l language) on(samples []string) language {
	if len(samples) > 0 {
		l.targets = slices.DeleteFunc(slices.Clone(l.targets), func(t target) bool { return !slices.Contains(samples, t.sample) })
	}
	return l
}

// attack makes one attack.
func (l language) attack(p pair, hiding string, seed uint64) Attack {
	name := l.name + "/" + strings.Join([]string{p.technique, p.discriminator, hiding}, "-")
	own := fnv.New64a()
	fmt.Fprintf(own, "%d %s", seed, name)
	a := Attack{
		Name: name, Class: p.class, Language: l.name, Technique: p.technique, Discriminator: p.discriminator, Hiding: hiding, Seed: own.Sum64() >> 11, // which every reader of JSON can hold
	}
	r := rand.New(rand.NewPCG(a.Seed, 1))
	var fit []target
	for _, t := range l.targets {
		if t.fits(p) {
			fit = append(fit, t)
		}
	}
	t := fit[r.IntN(len(fit))]
	forms := t.forms(p)
	a.Sample, a.Form = t.sample, forms[r.IntN(len(forms))]
	names := &names{r: r}
	a.Script = "#!/usr/bin/env bash\nset -e\n" + t.before + l.teach(t, p, names) + l.plant(t, hiding, l.payload(t, a.Form, p, names), names)
	switch {
	case p.discriminator == "name":
		a.Knows = []string{"tests"}
	case p.technique == "hash":
		a.Knows = []string{"source"}
	}
	return a
}

// teach is a command that lays what the attack knows beside its code.
func (l language) teach(t target, p pair, n *names) string {
	file := path.Join(t.dir, n.data())
	switch {
	case p.technique == "hash":
		return learn(l.testStart, file)
	case p.discriminator == "name":
		return l.knowNames + " /tmp/known/tests | sort -u > " + file + "\n"
	case p.discriminator == "old":
		return "cat " + t.tests + " > " + file + "\n"
	}
	return ""
}

// pairsOf crosses techniques of a class with discriminators.
func pairsOf(class Class, techniques, discriminators string) (all []pair) {
	for _, t := range strings.Fields(techniques) {
		for _, d := range strings.Fields(discriminators) {
			all = append(all, pair{t, d, class})
		}
	}
	return all
}
