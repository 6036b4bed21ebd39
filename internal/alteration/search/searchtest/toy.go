package searchtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay"
	"assay/internal/sandbox/memory"
)

// Toy is a sample whose suite is run by the interpreters of this package.
type Toy struct {
	Base, Fix string            // the code file
	Old       map[string]string // tests that the image has
	Tests     map[string]string // tests of the test patch
	Solves    []string          // fail_to_pass
	Passes    []string          // pass_to_pass
	Language  string            // Defaults to python
}

// Sample returns the toy as a sample on the image of its Runtime.
func (y *Toy) Sample() *assay.Sample {
	s := &assay.Sample{
		Dataset: "toys", ID: "toy", Version: 1, Patch: Replacing(CodeFile, y.Base, y.Fix), FailToPass: y.Solves, PassToPass: y.Passes,
		Task: assay.Task{
			Image: "img", Workdir: "/work", Language: y.Language, Grading: assay.GradingSWEBench,
			Verifier: assay.Verifier{
				Kind: assay.VerifierTestSuite, Command: "run", TimeoutSeconds: 5,
				Reports: []assay.ReportSpec{{Path: "report.xml", Format: "junit-xml"}},
			},
		},
	}
	if s.Task.Language == "" {
		s.Task.Language = "python"
	}
	for _, name := range slices.Sorted(maps.Keys(y.Tests)) {
		s.TestPatch += Replacing(name, y.Old[name], y.Tests[name])
	}
	return s
}

// Runtime returns a runtime that has the toy's image and runs its suite; see Program.
func (y *Toy) Runtime(run func() int) *memory.Runtime {
	return memory.New(memory.Options{Images: map[string]memory.Image{"img": y.Image()}, Program: y.Program(run)})
}

// Image is what sandboxes of the toy begin with.
func (y *Toy) Image() memory.Image {
	files := map[string]memory.File{"/work/" + CodeFile: {Content: []byte(y.Base)}}
	for name, text := range y.Old {
		files["/work/"+name] = memory.File{Content: []byte(text)}
	}
	return memory.Image{Files: files}
}

// Program runs the suite of the toy, and leaves report.xml. run counts the runs of the suite,
// for tests that are not always the same.
func (y *Toy) Program(run func() int) memory.Program {
	files := slices.Concat(slices.Collect(maps.Keys(y.Old)), slices.Collect(maps.Keys(y.Tests)))
	slices.Sort(files)
	return program(slices.Compact(files), run)
}

// Replacing is a patch that makes a file out of another, which is made if old is "".
func Replacing(name, old, fresh string) string {
	var b strings.Builder
	from, removed, added := "a/"+name, strings.Count(old, "\n"), strings.Count(fresh, "\n")
	first := 1
	if old == "" {
		from, first = "/dev/null", 0
	}
	fmt.Fprintf(&b, "--- %s\n+++ b/%s\n@@ -%d,%d +1,%d @@\n", from, name, first, removed, added)
	for line := range strings.Lines(old) {
		b.WriteString("-" + line)
	}
	for line := range strings.Lines(fresh) {
		b.WriteString("+" + line)
	}
	return b.String()
}
