package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"assay"
	"assay/internal/queue"
)

func TestJobStartsAtOnce(t *testing.T) {
	onEach(t, func(f *fixture) {
		begun := make(chan time.Time)
		q := f.queue(queue.Config{Judge: func(_ context.Context, v *assay.Verification) error {
			begun <- time.Now()
			return f.end(v)
		}})
		must(f, q.Start(f.Context()))
		var waits []time.Duration
		slow := 0
		for i := range 40 {
			at := time.Now()
			f.enqueue(q, fmt.Sprint(i))
			wait := (<-begun).Sub(at)
			if waits = append(waits, wait); wait > queue.LookEvery/5 {
				slow++
			}
			if slow > 3 {
				f.Fatalf("jobs waited for %v: nobody is woken", waits)
			}
		}
		slices.Sort(waits)
		f.Logf("from storing to the start: median %v, longest %v", waits[len(waits)/2], waits[len(waits)-1])
	})
}

func TestJobStoredBeforeTheStart(t *testing.T) {
	onEach(t, func(f *fixture) {
		j := newJudge(f)
		q := f.queue(queue.Config{Judge: j.judge})
		f.add("ada", "early", "")
		must(f, q.Start(f.Context()))
		j.next("early")
		close(j.end)
	})
}

func TestFailureIsTriedAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("no loop device") },
		"panic": func() error { panic("a bug") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(f *fixture) {
				calls := make(chan *assay.Verification, 2)
				q := f.queue(queue.Config{Judge: func(_ context.Context, v *assay.Verification) error {
					calls <- v
					if v.Attempt == 1 {
						return fail()
					}
					return f.end(v)
				}})
				must(f, q.Start(f.Context()))
				f.enqueue(q, "x")
				first := <-calls
				began := time.Now()
				if second := <-calls; second.ID != first.ID || second.Attempt != 2 || second.Lease == first.Lease {
					f.Errorf("after %+v came %+v", first, second)
				}
				if waited := time.Since(began); waited < 900*time.Millisecond {
					f.Errorf("the second attempt came after %v", waited)
				}
			})
		})
	}
}

func TestPausesGrow(t *testing.T) {
	for failed, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 10: 512 * time.Second, 11: 10 * time.Minute, 99: 10 * time.Minute} {
		if got := queue.PauseAfter(failed); got != want {
			t.Errorf("after %d failures: a pause of %v, want %v", failed, got, want)
		}
	}
}

func TestOnlySoManyAtOnce(t *testing.T) {
	onEach(t, func(f *fixture) {
		const most = 3
		var now, peak atomic.Int32
		j := newJudge(f)
		q := f.queue(queue.Config{Workers: most, Judge: func(ctx context.Context, v *assay.Verification) error {
			n := now.Add(1)
			for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
			}
			defer now.Add(-1)
			return j.judge(ctx, v)
		}})
		must(f, q.Start(f.Context()))
		for i := range 10 {
			f.enqueue(q, fmt.Sprint(i))
		}
		for range most {
			<-j.begun
		}
		j.none("all workers work")
		close(j.end)
		for range 10 - most {
			<-j.begun
		}
		if p := peak.Load(); p != most {
			f.Errorf("%d jobs ran at once, want %d", p, most)
		}
	})
}

// One worker serves a user who has one job between those of another who has many.
func TestAUserWithManyDelaysNobody(t *testing.T) {
	onEach(t, func(f *fixture) {
		j := newJudge(f)
		q := f.queue(queue.Config{Workers: 1, Judge: j.judge})
		for i := range 30 {
			f.add("ada", fmt.Sprintf("many-%02d", i), "")
		}
		must(f, q.Start(f.Context()))
		j.next("many-00")
		f.add("bob", "single", "")
		j.end <- struct{}{}
		j.next("single")
		j.end <- struct{}{}
		j.next("many-01")
	})
}

func TestALeaseIsRenewedWhileItsJobRuns(t *testing.T) {
	onEach(t, func(f *fixture) {
		j := newJudge(f)
		q := f.queue(queue.Config{Judge: j.judge, Lease: 200 * time.Millisecond})
		must(f, q.Start(f.Context()))
		f.enqueue(q, "x")
		j.next("x")
		until := func() (us int64) {
			must(f, f.store.Writer().QueryRow(`SELECT leased_until FROM verifications WHERE id = 'x'`).Scan(&us))
			return us
		}
		for last, renewals := until(), 0; renewals < 5; { // by now it would have expired
			if now := until(); now != last {
				last, renewals = now, renewals+1
			}
		}
		close(j.end)
		must(f, q.Stop(context.Background()))
		if got := f.get("x"); got.Status != assay.VerificationCompleted || got.Attempt != 1 || got.Crashes != 0 {
			f.Errorf("it is %+v", got)
		}
	})
}

func TestALostLeaseEndsItsJob(t *testing.T) {
	onEach(t, func(f *fixture) {
		begun, late := make(chan *assay.Verification), make(chan error, 1)
		q := f.queue(queue.Config{Lease: 200 * time.Millisecond, Judge: func(ctx context.Context, v *assay.Verification) error {
			begun <- v
			if v.Attempt > 1 {
				return f.end(v)
			}
			<-ctx.Done()
			late <- f.end(v) // of an attempt that is none any more
			return ctx.Err()
		}})
		must(f, q.Start(f.Context()))
		f.enqueue(q, "x")
		first := <-begun
		_, err := f.store.ReapVerifications(f.Context(), "another0", true)
		must(f, err)
		if err := <-late; err == nil {
			f.Error("the first attempt ended it")
		}
		if second := <-begun; second.Lease == first.Lease || second.Crashes != 1 {
			f.Errorf("after %+v came %+v", first, second)
		}
	})
}

// A server that died leaves leases that others find expired.
func TestExpiredLeasesOfOthersAreTakenOver(t *testing.T) {
	onEach(t, func(f *fixture) {
		f.add("ada", "x", "")
		_, err := f.store.ClaimVerification(f.Context(), queue.Claim{Lease: "deadbeef1", For: -time.Second, At: time.Now()})
		must(f, err)
		j := newJudge(f)
		q := f.queue(queue.Config{Judge: j.judge})
		must(f, q.Start(f.Context()))
		j.next("x")
		if got := f.get("x"); got.Crashes != 1 || got.Attempt != 2 {
			f.Errorf("it saw %d deaths in %d attempts", got.Crashes, got.Attempt)
		}
		close(j.end)
	})
}

// Who saw two servers die is tried when nothing else waits or runs, and alone.
func TestASuspectIsTriedAloneAndLast(t *testing.T) {
	onEach(t, func(f *fixture) {
		f.add("ada", "suspect", "")
		f.sawDie("suspect", assay.AloneAfter)
		for _, id := range []string{"a", "b", "c"} {
			f.add("ada", id, "")
		}
		j := newJudge(f)
		q := f.queue(queue.Config{Workers: 2, Judge: j.judge})
		must(f, q.Start(f.Context()))
		j.next("a", "b")
		j.end <- struct{}{}
		j.next("c")
		j.end <- struct{}{}
		j.none("one runs still")
		j.end <- struct{}{}
		j.next("suspect")
		if n, err := q.Idle(f.Context()); err != nil || n != 0 {
			f.Errorf("%d workers are idle beside it, %v", n, err)
		}
		f.enqueue(q, "d")
		j.none("it runs alone")
		j.end <- struct{}{}
		j.next("d")
		close(j.end)
	})
}
