package queue_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"assay"
	"assay/internal/queue"
	"assay/internal/store"
)

// envCrash names, in a child process of this test, the database of the queue.
const envCrash = "ASSAY_TEST_QUEUE_CRASH"

// culprit brings its server down whenever it runs: the test kills it then. What runs beside it
// has not ended then; what is tried alone ends at once.
const culprit = "ver_culprit"

// workUntilKilled says what begins, and how many run then.
func workUntilKilled(database string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, database, store.Options{})
	if err != nil {
		return err
	}
	var running atomic.Int32
	q, err := queue.New(queue.Config{Store: s, Workers: 3, Judge: func(_ context.Context, v *assay.Verification) error {
		fmt.Println(v.ID, running.Add(1))
		defer running.Add(-1)
		if v.ID == culprit || v.Crashes < assay.AloneAfter && v.ID != "ver_fresh" {
			select {}
		}
		return end(s, v)
	}})
	if err != nil {
		return err
	}
	if _, err := q.Recover(ctx); err != nil {
		return err
	}
	if err := q.Start(ctx); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin) // until the parent is gone
	return err
}

// killed starts a process that works on the database, kills it once enough has been said, and
// returns what was.
func killed(t testing.TB, database string, enough func(said []string) bool) (said []string) {
	t.Helper()
	child := osexec.Command(os.Args[0])
	child.Env = append(os.Environ(), envCrash+"="+database)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	must(t, err)
	defer stdin.Close()
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	for !enough(said) {
		if !lines.Scan() {
			t.Fatalf("the child ended after %q: %v", said, lines.Err())
		}
		said = append(said, lines.Text())
	}
	must(t, child.Process.Kill())
	_ = child.Wait() // always an error: it was killed
	return said
}

// Three verifications run when the server dies, again and again, because of one of them. That
// one is given up; the others end as they should.
func TestTheCulpritIsGivenUpAndNoWitness(t *testing.T) {
	for name, database := range engines {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, database(t))
			all := []string{"ver_a", culprit, "ver_z"}
			for _, id := range all {
				f.add("ada", id, "")
			}
			for deaths := range assay.AloneAfter {
				killed(t, f.database, func(said []string) bool { return len(said) == len(all) })
				for _, id := range all {
					if v := f.get(id); v.Status != assay.VerificationStarting || v.Crashes != deaths {
						t.Fatalf("%s is %s and saw %d deaths, want %d", id, v.Status, v.Crashes, deaths)
					}
				}
			}
			f.add("bob", "ver_fresh", "")
			said := killed(t, f.database, func(said []string) bool {
				return slices.ContainsFunc(said, func(line string) bool { return strings.HasPrefix(line, culprit) })
			})
			if want := []string{"ver_fresh 1", "ver_a 1", culprit + " 1"}; !slices.Equal(said, want) {
				t.Errorf("then began %q, want %q: each alone, after who saw nothing", said, want)
			}
			f.givesUp(culprit, "ver_z")
		})
	}
}

// givesUp has the next server end what is open, and checks that it may not try one of them.
func (f *fixture) givesUp(condemned, innocent string) {
	f.Helper()
	trials := make(chan string, 2)
	q := f.queue(queue.Config{Workers: 3, Judge: func(_ context.Context, v *assay.Verification) error {
		trials <- v.ID + " " + string(assay.TrialAfter(v.Crashes))
		return f.end(v)
	}})
	n, err := q.Recover(f.Context())
	must(f, err)
	if n != 1 {
		f.Errorf("%d were under way, want one", n)
	}
	if n, err := q.Recover(f.Context()); n != 0 || err != nil {
		f.Errorf("a second time: %d, %v; want none", n, err)
	}
	must(f, q.Start(f.Context()))
	got := []string{<-trials, <-trials}
	slices.Sort(got)
	want := []string{condemned + " " + string(assay.TrialNone), innocent + " " + string(assay.TrialAlone)}
	if !slices.Equal(got, want) {
		f.Errorf("tried %q, want %q", got, want)
	}
	if _, err := q.Recover(f.Context()); err == nil {
		f.Error("the jobs of a queue that is started were given back")
	}
}
