package testreport

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"assay/internal/testid"
)

// goEvent is an event of cmd/test2json, and of go build -json for build-output and
// build-fail (go help buildjson).
type goEvent struct {
	Action      string
	Package     string
	Test        string
	Elapsed     float64 // seconds
	Output      string
	ImportPath  string
	FailedBuild string
}

// goReader follows the events of several packages, which may be interleaved.
//
// A test is Failed, "did not finish", from its run event until an end of its own is
// seen. That covers panics, os.Exit and kills. An end of its own is an event pass,
// fail or skip; of a pass, also the line "--- PASS: Name" before it: when the
// process of the tests exits with status 0 in the middle of a test (syscall.Exit
// does it), test2json writes the package's pass event under the name of the test
// that was running.
type goReader struct {
	limits   Limits
	report   *Report
	packages map[string]*goPackage
	order    []*goPackage
	builds   map[string]*excerpt // output of builds by import path
}

type goPackage struct {
	name   string
	ended  bool
	tests  map[string]*goTest // those that run, by name
	failed int                // tests that failed
	output excerpt            // of no test
}

type goTest struct {
	result    int // index in Report.Results, -1 if it could not be taken
	shownPass bool
	output    excerpt
}

const didNotFinish = "did not finish"

func readGoTest(r io.Reader, limits Limits, report *Report) error {
	g := &goReader{limits: limits, report: report, packages: map[string]*goPackage{}, builds: map[string]*excerpt{}}
	offset, err := eachLine(r, limits, report, g.line)
	if unfinished := g.finish(); err == nil {
		err = unfinished
	}
	if err != nil {
		return fmt.Errorf("at byte %d: %w", offset, err)
	}
	report.Complete = true
	return nil
}

// line reads one line. Lines that are no events are other programs' words, unless
// the last one was cut off.
func (g *goReader) line(line []byte, last bool) error {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return nil
	}
	var e goEvent
	if line[0] != '{' || json.Unmarshal(line, &e) != nil || e.Action == "" {
		g.report.Noise++
		if last && line[0] == '{' {
			return ErrTruncated
		}
		return nil
	}
	return g.event(e)
}

func (g *goReader) event(e goEvent) error {
	switch {
	case e.Action == "build-output":
		return g.buildOutput(e)
	case e.Action == "build-fail":
		g.buildFailed(e)
		return nil
	case e.Package == "":
		return nil
	}
	p, err := g.pkg(e.Package)
	if err != nil {
		return err
	}
	if e.Test == "" {
		g.packageEvent(p, e)
		return nil
	}
	return g.testEvent(p, e)
}

func (g *goReader) pkg(name string) (*goPackage, error) {
	if p := g.packages[name]; p != nil {
		return p, nil
	}
	if len(g.packages) >= g.limits.MaxTests {
		return nil, fmt.Errorf("%w: more than %d packages", ErrTooLarge, g.limits.MaxTests)
	}
	p := &goPackage{name: name, tests: map[string]*goTest{}, output: excerpt{limit: maxProblemText}}
	g.packages[name] = p
	g.order = append(g.order, p)
	return p, nil
}

func (g *goReader) testEvent(p *goPackage, e goEvent) error {
	t := p.tests[e.Test]
	switch e.Action {
	case "run":
		p.ended = false // before go 1.20 no start event announced a further round
		return g.begin(p, e.Test)
	case "output":
		if t == nil {
			p.output.add(e.Output)
			return nil
		}
		t.output.add(e.Output)
		t.shownPass = t.shownPass || strings.Contains(e.Output, "--- PASS: "+e.Test+" (")
	case "pass":
		switch {
		case t == nil:
			g.report.problem(fmt.Sprintf("%s is reported to have passed without having run", goID(p, e.Test)))
			return g.unbegun(p, e, Failed)
		case !t.shownPass:
			g.report.problem(fmt.Sprintf("the process of package %s exited with status 0 while %s was running", p.name, e.Test))
			return nil
		}
		g.end(p, e, Passed)
	case "fail":
		p.failed++
		if t == nil {
			return g.unbegun(p, e, Failed)
		}
		g.end(p, e, Failed)
	case "skip":
		if t == nil {
			return g.unbegun(p, e, Skipped)
		}
		g.end(p, e, Skipped)
	}
	return nil
}

// begin notes that a test runs: failed, until it says otherwise.
func (g *goReader) begin(p *goPackage, name string) error {
	i, err := g.report.addTest(Result{ID: goID(p, name), Status: Failed, Message: didNotFinish}, g.limits)
	if err != nil {
		return err
	}
	if before := p.tests[name]; before != nil {
		g.abandon(before) // it began anew before it ended
	}
	p.tests[name] = &goTest{result: i, output: excerpt{limit: g.limits.MaxText}}
	return nil
}

// end notes what became of a test that runs.
func (g *goReader) end(p *goPackage, e goEvent, status Status) {
	t := p.tests[e.Test]
	delete(p.tests, e.Test)
	if t.result < 0 {
		return
	}
	res := &g.report.Results[t.result]
	res.Status, res.Duration, res.Message = status, duration(e.Elapsed), ""
	if status != Passed {
		res.Details = t.output.String()
		res.Message = clip(firstWords(res.Details), g.limits.MaxText)
	}
}

// unbegun notes the end of a test that was not seen to run.
func (g *goReader) unbegun(p *goPackage, e goEvent, status Status) error {
	_, err := g.report.addTest(Result{ID: goID(p, e.Test), Status: status, Duration: duration(e.Elapsed), Message: "ended without having run"}, g.limits)
	return err
}

// abandon leaves a test as one that did not finish.
func (g *goReader) abandon(t *goTest) {
	if t.result >= 0 {
		g.report.Results[t.result].Details = t.output.String()
	}
}

func (g *goReader) packageEvent(p *goPackage, e goEvent) {
	switch e.Action {
	case "start":
		p.ended = false
	case "output":
		p.output.add(e.Output)
	case "pass", "skip":
		g.endPackage(p, true)
	case "fail":
		if g.endPackage(p, false) == 0 && e.FailedBuild == "" {
			g.report.problem(fmt.Sprintf("package %s failed, although no test in it did:\n%s", p.name, strings.TrimSpace(p.output.String())))
		}
	}
}

// endPackage settles the tests of a package that ended and returns how many of
// them failed or did not finish. A package that is well contradicts such tests.
func (g *goReader) endPackage(p *goPackage, well bool) (bad int) {
	unfinished, failed := 0, p.failed
	p.ended, p.failed = true, 0
	for name, t := range p.tests {
		delete(p.tests, name)
		if well && isBenchmark(name) {
			g.forget(t)
			continue
		}
		unfinished++
		g.abandon(t)
	}
	if well && unfinished > 0 {
		g.report.problem(fmt.Sprintf("package %s is reported to have passed, although %d of its tests did not finish", p.name, unfinished))
	}
	if well && failed > 0 {
		g.report.problem(fmt.Sprintf("package %s is reported to have passed, although %d of its tests failed", p.name, failed))
	}
	return unfinished + failed
}

// forget takes back the result of a benchmark, which has no end event: it measured,
// it passed no judgement.
func (g *goReader) forget(t *goTest) {
	if t.result >= 0 {
		g.report.Results[t.result].ID = "" // dropped by finish
	}
}

// finish settles what is open at the end of the report.
func (g *goReader) finish() error {
	kept := g.report.Results[:0]
	var open []string
	for _, p := range g.order {
		for _, t := range p.tests {
			g.abandon(t)
		}
		if !p.ended {
			open = append(open, p.name)
			g.report.problem(fmt.Sprintf("the end of package %s was not seen", p.name))
		}
	}
	for _, res := range g.report.Results {
		if res.ID != "" {
			kept = append(kept, res)
		}
	}
	g.report.Results = kept
	switch {
	case len(g.order) == 0:
		return fmt.Errorf("%w: it names no package", ErrTruncated)
	case len(open) > 0:
		return fmt.Errorf("%w: package %s did not end", ErrTruncated, open[0])
	}
	return nil
}

func (g *goReader) buildOutput(e goEvent) error {
	out := g.builds[e.ImportPath]
	if out == nil {
		if len(g.builds) >= g.limits.MaxTests {
			return fmt.Errorf("%w: more than %d builds", ErrTooLarge, g.limits.MaxTests)
		}
		out = &excerpt{limit: maxProblemText}
		g.builds[e.ImportPath] = out
	}
	out.add(e.Output)
	return nil
}

func (g *goReader) buildFailed(e goEvent) {
	var said string
	if out := g.builds[e.ImportPath]; out != nil {
		said = strings.TrimSpace(out.String())
	}
	g.report.problem(fmt.Sprintf("%s could not be built:\n%s", e.ImportPath, said))
}

func goID(p *goPackage, test string) string { return testid.Join(p.name, test) }

// isBenchmark tells a benchmark by its name, as package testing does.
func isBenchmark(test string) bool { return strings.HasPrefix(test, "Benchmark") }

// firstWords returns the first line that the test, not its runner, wrote.
func firstWords(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			return line
		}
	}
	return ""
}
