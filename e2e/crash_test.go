package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// TestCrashes kills a server at random moments while users create sessions, run
// commands, verify and close, and asks afterwards whether anything was invented,
// lost or leaked. A request without an answer is made again with the same
// idempotency key, as clients do.
func TestCrashes(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	srv := start(t, p, "--max-verifications", "2")
	first := newCaller(t, p, srv)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var workers sync.WaitGroup
	url := newURL(srv)
	users := make([]*worker, 3)
	for i := range users {
		users[i] = &worker{caller: first, url: url, name: fmt.Sprintf("w%d", i), random: rand.New(rand.NewPCG(seed, uint64(i+1)))}
		workers.Go(func() { users[i].work(ctx) })
	}
	const rounds = 10
	for range rounds {
		pause(time.Duration(200+random.IntN(1000)) * time.Millisecond) // the moment is what varies
		kill(t, srv)
		if random.IntN(2) == 0 { // the next one dies too, perhaps before it answers
			brief, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(300))*time.Millisecond)
			if s, err := p.Start(brief, "--max-verifications", "2"); err == nil {
				kill(t, s)
			}
			cancel()
		}
		srv = start(t, p, "--max-verifications", "2")
		url.set(srv)
	}
	cancel()
	workers.Wait()

	c := first.at(srv)
	var done tally
	for _, w := range users {
		done.add(w.audit(t, c))
	}
	t.Logf("%+v", done)
	if done.Sessions < 3 || done.Commands < 10 || done.Verifications < 3 || done.Completed < 5 {
		t.Errorf("too little happened to prove anything: %+v", done)
	}
	list := must[wire.SessionList](t, c.call(t, "GET", "/sessions?limit=500", nil), 200)
	if list.TotalCount != done.Sessions {
		t.Errorf("the server has %d sessions, of which the users know %d", list.TotalCount, done.Sessions)
	}
	for _, s := range list.Sessions {
		c.close(t, s.SessionID)
	}
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
}

// address is where the server is now.
type address struct {
	mu   sync.Mutex
	base string
}

func newURL(s *harness.Server) *address {
	return &address{base: s.APIBase()}
}

func (a *address) set(s *harness.Server) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.base = s.APIBase()
}

func (a *address) get() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.base
}

// worker is a client that works through crashes of its server.
type worker struct {
	caller
	url    *address
	name   string
	random *rand.Rand
	asked  int

	sessions []string
	commands []command
	jobs     []job
}

// command is one that prints sum only if it runs to its end.
type command struct{ session, id, sum string }

// job is a verification of a session whose work solves the task, or not.
type job struct {
	session, id string
	solved      bool
}

// tally counts what happened.
type tally struct{ Sessions, Commands, Completed, Verifications, Verdicts int }

func (t *tally) add(o tally) {
	t.Sessions += o.Sessions
	t.Commands += o.Commands
	t.Completed += o.Completed
	t.Verifications += o.Verifications
	t.Verdicts += o.Verdicts
}

// send makes a request until it is answered. It gives up when ctx ends, but for one
// that may have done something: its outcome has to be known.
func (w *worker) send(ctx context.Context, method, path string, body any) (reply, bool) {
	w.asked++
	key := fmt.Sprintf("%s-%d", w.name, w.asked)
	for tries := 0; ; tries++ {
		w.base = w.url.get()
		within, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		r, err := w.try(within, method, path, body, wire.HeaderIdempotencyKey, key)
		cancel()
		if err == nil && r.status != http.StatusServiceUnavailable {
			return r, true
		}
		if ctx.Err() != nil && (method == http.MethodGet || tries > 100) {
			return reply{}, false
		}
		pause(20 * time.Millisecond) // the server is down
	}
}

// work lives through one session after the other until ctx ends.
func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		r, ok := w.send(ctx, "POST", "/sessions", createOf("quick"))
		var created wire.SessionCreated
		if !ok || r.status != 201 || json.Unmarshal(r.body, &created) != nil {
			continue
		}
		id := created.SessionID
		w.sessions = append(w.sessions, id)
		if w.random.IntN(5) > 0 { // else it is closed while it is made
			w.send(ctx, "GET", "/sessions/"+id+"?wait=20", nil)
			w.use(ctx, id)
		}
		if w.random.IntN(4) > 0 { // else it stays
			w.send(ctx, "DELETE", "/sessions/"+id, nil)
		}
	}
}

// use runs commands and verifications in a session, and waits for some of them.
func (w *worker) use(ctx context.Context, session string) {
	solved := w.random.IntN(2) == 0
	if solved {
		r, ok := w.send(ctx, "POST", "/sessions/"+session+"/exec", wire.ExecRequest{Command: "echo yes > answer"})
		var accepted wire.ExecAccepted
		if !ok || r.status != 202 || json.Unmarshal(r.body, &accepted) != nil {
			return
		}
		r, ok = w.send(ctx, "GET", "/sessions/"+session+"/interactions/"+accepted.InteractionID+"?wait=20", nil)
		var in wire.Interaction
		if !ok || json.Unmarshal(r.body, &in) != nil || in.ExitCode == nil || *in.ExitCode != 0 {
			return // it is not known whether the answer is there
		}
	}
	for range 1 + w.random.IntN(6) {
		if w.random.IntN(4) == 0 {
			w.verify(ctx, session, solved)
		} else {
			w.exec(ctx, session)
		}
	}
}

func (w *worker) exec(ctx context.Context, session string) {
	a, b := w.random.IntN(1e9), w.random.IntN(1e9)
	text := fmt.Sprintf("echo begun; sleep %.2f; echo sum $((%d+%d))", w.random.Float64(), a, b)
	r, ok := w.send(ctx, "POST", "/sessions/"+session+"/exec", wire.ExecRequest{Command: text})
	var accepted wire.ExecAccepted
	if !ok || r.status != 202 || json.Unmarshal(r.body, &accepted) != nil {
		return
	}
	w.commands = append(w.commands, command{session, accepted.InteractionID, fmt.Sprintf("begun\nsum %d\n", a+b)})
	if w.random.IntN(2) == 0 {
		w.send(ctx, "GET", "/sessions/"+session+"/interactions/"+accepted.InteractionID+"?wait=10", nil)
	}
}

func (w *worker) verify(ctx context.Context, session string, solved bool) {
	r, ok := w.send(ctx, "POST", "/sessions/"+session+"/verify", nil)
	var started wire.JobStarted
	if ok && r.status == 202 && json.Unmarshal(r.body, &started) == nil {
		w.jobs = append(w.jobs, job{session, started.JobID, solved})
	}
}

// audit asks for the end of everything that the worker began.
func (w *worker) audit(t *testing.T, c caller) tally {
	t.Helper()
	done := tally{Sessions: len(w.sessions), Commands: len(w.commands), Verifications: len(w.jobs)}
	for _, cmd := range w.commands {
		in := c.end(t, cmd.session, cmd.id)
		switch {
		case *in.ExitCode == 0 && *in.Stdout == cmd.sum && *in.Success:
			done.Completed++
		case *in.ExitCode == assay.ExitUnknown && !*in.Success && in.Status == assay.InteractionFailed:
			if in.Message == nil || strings.TrimSpace(*in.Message) == "" {
				t.Errorf("nothing says why the end of a command is unknown: %s", show(in))
			}
		default:
			t.Errorf("a command that prints %q: %s", cmd.sum, show(in))
		}
	}
	for _, v := range w.jobs {
		j := c.job(t, v.session, v.id)
		switch {
		case j.Status == assay.VerificationCompleted && j.Result != nil && j.Error == nil:
			done.Verdicts++
			if j.Result.IsSuccess != v.solved {
				t.Errorf("verification %s: solved is %t: %s", v.id, j.Result.IsSuccess, j.Result.Reason)
			}
		case j.Status == assay.VerificationError && j.Error != nil && j.Error.Code == string(assay.CodeInterrupted):
		default:
			t.Errorf("verification %s is %s: %+v %+v", v.id, j.Status, j.Error, j.Result)
		}
	}
	return done
}
