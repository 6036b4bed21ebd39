package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"assay/internal/alteration/catalog"
)

// searchProgress shows how a search gets on, on standard error: a bar to a person, else a
// line every so often.
type searchProgress struct {
	std     stdio
	samples int
	most    int // runs of a sample

	bar     *progressbar.ProgressBar // nil when nobody watches
	freed   time.Time                // when a sandbox became free for the next sample
	runs    map[string]*sampleRuns   // of the samples that are not done
	stored  int
	skipped int // samples that could not be searched
}

// sampleRuns is how far the search of a sample is.
type sampleRuns struct {
	made  int
	began time.Time
	told  time.Time
}

// How often the search of a sample is told of where nobody watches.
const (
	tellEachRuns = 25
	tellEach     = 30 * time.Second
)

// begin is called before anything is searched, with the number of samples at a time.
func (p *searchProgress) begin(workers int) {
	p.freed, p.runs = time.Now(), make(map[string]*sampleRuns)
	if p.std.interactive() {
		p.bar = newBar(p.std, "searching", int64(p.samples))
		return
	}
	fmt.Fprintf(p.std.err, "searching %d samples, %d at a time, with at most %d runs of the suite of each\n", p.samples, min(workers, p.samples), p.most)
}

func (p *searchProgress) ran(id string) {
	now := time.Now()
	r := p.runs[id]
	if r == nil {
		r = &sampleRuns{began: p.freed, told: p.freed}
		p.runs[id] = r
	}
	r.made++
	switch {
	case p.bar != nil:
		p.bar.Describe(fmt.Sprintf("searching %s, run %d", id, r.made))
	case r.made%tellEachRuns == 0 || now.Sub(r.told) >= tellEach:
		r.told = now
		fmt.Fprintf(p.std.err, "%s  run %d of at most %d  %s\n", id, r.made, p.most, now.Sub(r.began).Round(time.Second))
	}
}

func (p *searchProgress) done(o catalog.Outcome) {
	p.freed = time.Now()
	delete(p.runs, o.SampleID)
	if o.Err != nil {
		p.skipped++
	} else {
		p.stored++
	}
	if p.bar != nil {
		_ = p.bar.Add(1) // what cannot be drawn is not missed
		return
	}
	fmt.Fprintf(p.std.err, "%s  %s\n", o.SampleID, outcomeLine(o))
}

func outcomeLine(o catalog.Outcome) string {
	const goOn = "a larger --max-runs or --limit goes on"
	switch {
	case o.Err != nil:
		return o.Err.Error()
	case o.Stored && o.Result.Spent:
		return "was searched before, and ended at its bounds: " + goOn
	case o.Stored:
		return "was searched before"
	}
	line := fmt.Sprintf("%d of %d tests altered, %d blind  %s", o.Summary.Altered, o.Summary.Tests, o.Summary.Blind, o.Summary.Took.Round(time.Second))
	if o.Stays {
		line += "; what an earlier search found is better, and stays"
	}
	if o.Result.Spent {
		line += "; it ended at its bounds: " + goOn
	}
	return line
}

// kept tells what is left of a search that was interrupted.
func (p *searchProgress) kept() string {
	runs := 0
	for _, r := range p.runs {
		runs += r.made
	}
	text := fmt.Sprintf("%d of %d samples are done and stored", p.stored, p.samples)
	if p.skipped > 0 {
		text += fmt.Sprintf(", %d cannot be searched", p.skipped)
	}
	if runs > 0 {
		text += fmt.Sprintf(", and the %d runs of those under way are kept", runs)
	}
	return text + "; the same command goes on there"
}

func (p *searchProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
