package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"assay/internal/session"
	"assay/internal/store"
	"assay/internal/store/pgtest"
)

// envCrash names, in a child process of this test, the database to write to and the
// session to write to it.
const envCrash = "ASSAY_TEST_STORE_CRASH"

func TestMain(m *testing.M) {
	if path, sessionID, child := strings.Cut(os.Getenv(envCrash), "\n"); child {
		writeUntilKilled(path, sessionID)
	}
	goleak.VerifyTestMain(pgtest.Stopping(m))
}

// writeUntilKilled stores commands for ever and says the id of each that is stored.
func writeUntilKilled(path, sessionID string) {
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		in := interaction(sessionID)
		if _, _, err := s.InsertInteraction(context.Background(), in, session.Idempotency{}, 0); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if finished, err := s.FinishInteraction(context.Background(), finished(in, strings.Repeat(in.ID, 100))); err != nil || !finished {
			fmt.Fprintln(os.Stderr, finished, err)
			os.Exit(1)
		}
		fmt.Println(in.ID)
	}
}

// TestKillLosesNothingThatWasAcknowledged kills a process in the midst of its writes,
// several times, and finds every command whose end it had reported.
func TestKillLosesNothingThatWasAcknowledged(t *testing.T) {
	onEach(t, testKill)
}

func testKill(t *testing.T, path string) {
	s, sess, _ := filled(t, path)
	must(t, s.Close())

	var acknowledged []string
	for round := range 4 {
		child := osexec.Command(os.Args[0])
		child.Env = append(os.Environ(), envCrash+"="+path+"\n"+sess.ID)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acknowledged = append(acknowledged, lines.Text())
			if n == 100+37*round {
				must(t, child.Process.Kill())
			}
		}
		must(t, lines.Err())
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended before it was killed")
		}
	}

	s = open(t, path)
	sound(t, s)
	for _, id := range acknowledged {
		in, err := s.Interaction(t.Context(), sess.UserID, sess.ID, id)
		must(t, err)
		if !in.Status.Final() || in.Stdout.Text != strings.Repeat(id, 100) {
			t.Errorf("interaction %s is %s with %d bytes of output", id, in.Status, len(in.Stdout.Text))
		}
	}
	running, err := s.RunningInteractions(t.Context(), "")
	must(t, err)
	if len(running) > 4 {
		t.Errorf("%d commands were begun and not ended, want at most one a kill", len(running))
	}
}
