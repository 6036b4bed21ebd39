package agent_test

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/internal/sandbox"
)

// BenchmarkExec measures a command through the client, the socket and the agent
// against a fork and exec of the same command, in turns. It reports the medians
// and their ratio.
func BenchmarkExec(b *testing.B) {
	g := start(b, nil)
	ctx := testContext(b)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	check(b, err)
	defer null.Close()
	var bare, through []time.Duration
	for i := range b.N {
		began := time.Now()
		cmd := exec.Command("bash", "-c", "true")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = null, null, null
		check(b, cmd.Run())
		bare = append(bare, time.Since(began))

		began = time.Now()
		_, err := g.Exec(ctx, sandbox.Command{ID: strconv.Itoa(i), Argv: []string{"bash", "-c", "true"}, Timeout: time.Minute})
		check(b, err)
		through = append(through, time.Since(began))
	}
	slices.Sort(bare)
	slices.Sort(through)
	floor, got := bare[len(bare)/2], through[len(through)/2]
	b.ReportMetric(float64(floor.Microseconds()), "floor-µs")
	b.ReportMetric(float64(got.Microseconds()), "exec-µs")
	b.ReportMetric(float64(got)/float64(floor), "ratio")
}

// BenchmarkOutput measures how fast output flows, dropped but for its ends.
func BenchmarkOutput(b *testing.B) {
	g := start(b, nil)
	const size = 100_000_000
	b.SetBytes(size)
	for i := range b.N {
		_, err := g.Exec(testContext(b), sandbox.Command{ID: strconv.Itoa(i), Argv: []string{"head", "-c", strconv.Itoa(size), "/dev/zero"}})
		check(b, err)
	}
}

// BenchmarkStart measures from the start of the process, which makes namespaces
// first, to the agent's first answer, and what memory each agent takes in
// proportion (PSS) when all of them idle after a command.
func BenchmarkStart(b *testing.B) {
	var agents []*guest
	for range b.N {
		g := start(b, nil)
		eventually(b, "the agent answers", func() bool { _, err := g.Hello(testContext(b)); return err == nil })
		agents = append(agents, g)
	}
	b.StopTimer()
	var sum float64
	for _, g := range agents {
		g.run("a", "true")
		sum += g.pss(b)
	}
	b.ReportMetric(sum/float64(b.N), "pss-KiB")
}

// pss reads the agent's proportional set size, in KiB.
func (g *guest) pss(b *testing.B) float64 {
	p, err := os.ReadFile("/proc/" + strconv.Itoa(g.process.Process.Pid) + "/smaps_rollup")
	check(b, err)
	_, rest, _ := strings.Cut(string(p), "\nPss:")
	v, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	check(b, err)
	return v
}
