package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/queue"
	"assay/internal/session"
	"assay/internal/verification"
)

var queueTests = []test{
	{"a job is claimed as it was stored, once", testClaim},
	{"many that claim at once never get the same, and all get one", testClaimRace},
	{"users take turns", testClaimFair},
	{"a user who was served least recently is next", testClaimLeastRecent},
	{"who saw two servers die is claimed alone and last", testClaimAlone},
	{"a lease that is lost lets nothing be written", testLeaseFences},
	{"a lease that is not renewed is reaped, and one that is renewed is not", testLeaseExpires},
	{"a lease of a dead server is reaped at once", testReapDead},
	{"a failed attempt counts and pauses, one that was cut short does neither", testRelease},
	{"the queue is counted", testCountQueue},
}

// Two servers, and how long their leases hold.
const (
	here, there = "here0000", "there000"
	long        = time.Hour
	over        = -time.Second // such a lease has expired when it is made
)

func (f fixture) claim(lease string, alone bool) *queue.Job {
	f.Helper()
	return f.claimFor(lease, alone, long)
}

func (f fixture) claimFor(lease string, alone bool, holds time.Duration) *queue.Job {
	f.Helper()
	job, err := f.ClaimVerification(f.ctx, queue.Claim{Lease: lease, For: holds, Alone: alone, At: time.Now()})
	f.must(err)
	return job
}

// claims checks that a claim finds a verification.
func (f fixture) claims(lease string, alone bool, want *assay.Verification) {
	f.Helper()
	if got := f.claim(lease, alone); got == nil || got.ID != want.ID {
		f.Errorf("%s claims %+v, want %s", lease, got, want.ID)
	}
}

// claimsNone checks that there is nothing to claim.
func (f fixture) claimsNone(alone bool) {
	f.Helper()
	if got := f.claim(here+"none", alone); got != nil {
		f.Errorf("claimed %s, want nothing", got.ID)
	}
}

func (f fixture) reaps(server string, allDead bool, want int) {
	f.Helper()
	if n, err := f.ReapVerifications(f.ctx, server, allDead); err != nil || n != want {
		f.Errorf("%d were given back, %v; want %d", n, err, want)
	}
}

// seen is a pending verification that saw some servers die.
func (f fixture) seen(s *assay.Session, deaths int) *assay.Verification {
	f.Helper()
	v := f.pending(s)
	for range deaths {
		f.claims(there+"d", true, v)
		f.reaps(here, true, 1)
	}
	return v
}

func testClaim(f fixture) {
	v := newVerification(f.ready())
	const origin = `{"request_id":"req_1"}`
	want, _, err := f.InsertVerification(f.ctx, v, session.Idempotency{}, 0, origin)
	f.must(err)
	job, err := f.ClaimVerification(f.ctx, queue.Claim{Lease: here + "1", For: long, At: at})
	f.must(err)
	want.Status, want.Attempt, want.StartedAt, want.Lease = assay.VerificationStarting, 1, &kept, here+"1"
	if diff := cmp.Diff(&queue.Job{Verification: want, Origin: origin}, job); diff != "" {
		f.Error(diff)
	}
	read, err := f.Verification(f.ctx, "", "", v.ID)
	f.must(err)
	if diff := cmp.Diff(want, read); diff != "" {
		f.Error(diff)
	}
	f.claimsNone(true)
}

func testClaimRace(f fixture) {
	s := f.ready()
	const jobs = 24
	for range jobs {
		f.pending(s)
	}
	var (
		mu  sync.Mutex
		got []string
	)
	won := race(jobs, func(i int) bool {
		job, err := f.ClaimVerification(f.ctx, queue.Claim{Lease: numbered(here, i), For: long, At: time.Now()})
		f.code(err, "")
		if job == nil {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, job.ID)
		return true
	})
	slices.Sort(got)
	if got = slices.Compact(got); won != jobs || len(got) != jobs {
		f.Errorf("%d claims got %d different jobs, want %d", won, len(got), jobs)
	}
}

func testClaimFair(f fixture) {
	many, few := f.ready(), f.ready()
	var first []*assay.Verification
	for range 20 {
		first = append(first, f.pending(many))
	}
	f.claims(here+"1", false, first[0])
	f.claims(here+"2", false, first[1])
	single := f.pending(few)
	f.claims(here+"3", false, single) // before those who came first
	other := f.pending(few)
	f.claims(here+"4", false, other) // of which fewer are under way
	f.claims(here+"5", false, first[2])
}

func testClaimLeastRecent(f fixture) {
	many, few := f.ready(), f.ready()
	first, second, third := f.pending(many), f.pending(many), f.pending(many)
	single := f.pending(few)
	end := func(lease string, v *assay.Verification) {
		f.Helper()
		f.claims(lease, false, v)
		_, moved, err := f.MoveVerification(f.ctx, v.ID, assay.VerificationStarting, verification.Change{Status: assay.VerificationCompleted, Lease: lease})
		f.must(err)
		if !moved {
			f.Errorf("%s was not ended", v.ID)
		}
	}
	end(here+"1", first)
	end(here+"2", single) // also where one worker does all
	end(here+"3", second)
	end(here+"4", third)
}

func testClaimAlone(f fixture) {
	s := f.ready()
	suspect := f.seen(s, assay.AloneAfter)
	gone := f.seen(f.ready(), 0)
	f.claims(here+"1", true, gone)
	f.claimsNone(false)
	later, witness := f.pending(s), f.pending(s)
	f.claims(here+"2", true, later)
	f.claims(here+"3", true, witness)
	f.claims(here+"4", true, suspect)
	f.reaps(there, true, 4)
	job := f.claim(here+"5", false) // nothing is tried any more of who died alone
	for ; job != nil && job.ID != suspect.ID; job = f.claim(here+job.ID, false) {
	}
	if job == nil || job.Crashes != assay.AloneAfter+1 {
		f.Errorf("claimed %+v, want the one that saw %d deaths", job, assay.AloneAfter+1)
	}
}

func testLeaseFences(f fixture) {
	v := f.pending(f.ready())
	f.claims(there+"1", false, v)
	f.must(f.SetVerificationHandle(f.ctx, v.ID, there+"1", "h", "there"))
	f.reaps(here, true, 1)
	stale := func(when string) {
		f.Helper()
		for from, to := range map[assay.VerificationStatus]assay.VerificationStatus{
			assay.VerificationStarting: assay.VerificationRunning, assay.VerificationRunning: assay.VerificationCompleted, assay.VerificationPending: assay.VerificationError,
		} {
			if _, moved, err := f.MoveVerification(f.ctx, v.ID, from, verification.Change{Status: to, Lease: there + "1"}); err != nil || moved {
				f.Errorf("%s: moved from %s to %s: %t, %v", when, from, to, moved, err)
			}
		}
		f.code(f.SetVerificationHandle(f.ctx, v.ID, there+"1", "other", "there"), assay.CodeConflict)
		if held, err := f.RenewLease(f.ctx, there+"1", long); err != nil || held {
			f.Errorf("%s: renewed: %t, %v", when, held, err)
		}
		if released, err := f.ReleaseVerification(f.ctx, there+"1", queue.Release{}); err != nil || released {
			f.Errorf("%s: released: %t, %v", when, released, err)
		}
	}
	stale("nobody has it")
	f.claims(here+"1", false, v)
	stale("another has it")
	for _, to := range []assay.VerificationStatus{assay.VerificationRunning, assay.VerificationCompleted} {
		got, err := f.Verification(f.ctx, "", "", v.ID)
		f.must(err)
		if _, moved, err := f.MoveVerification(f.ctx, v.ID, got.Status, verification.Change{Status: to, Lease: here + "1"}); err != nil || !moved {
			f.Errorf("who has it moves it to %s: %t, %v", to, moved, err)
		}
	}
	stale("it has ended")
	got, err := f.Verification(f.ctx, "", "", v.ID)
	f.must(err)
	if got.Lease != "" || got.Handle != "h" || got.Status != assay.VerificationCompleted {
		f.Errorf("it is %+v", got)
	}
}

func testLeaseExpires(f fixture) {
	s := f.ready()
	lost, held := f.pending(s), f.pending(s)
	f.claimFor(there+"1", false, over)
	f.claimFor(there+"2", false, over)
	if renewed, err := f.RenewLease(f.ctx, there+"2", long); err != nil || !renewed {
		f.Errorf("renewed: %t, %v", renewed, err)
	}
	f.reaps(there, false, 0) // it knows itself that it lives
	f.reaps(here, false, 1)
	f.reaps(here, false, 0)
	f.claims(here+"1", false, lost)
	for v, want := range map[*assay.Verification]int{lost: 1, held: 0} {
		got, err := f.Verification(f.ctx, "", "", v.ID)
		f.must(err)
		if got.Crashes != want || got.Lease == "" {
			f.Errorf("it saw %d deaths, and is %s's; want %d", got.Crashes, got.Lease, want)
		}
	}
}

func testReapDead(f fixture) {
	s := f.ready()
	ran := f.pending(s)
	f.claims(there+"1", false, ran)
	waited := f.pending(s)
	f.reaps(here, false, 0)
	f.reaps(there, true, 0)
	f.reaps(here, true, 1)
	for v, want := range map[*assay.Verification]int{ran: 1, waited: 0} {
		got, err := f.Verification(f.ctx, "", "", v.ID)
		f.must(err)
		if got.Status != assay.VerificationPending || got.Crashes != want || got.Lease != "" {
			f.Errorf("it is %s of %q and saw %d deaths, want %d", got.Status, got.Lease, got.Crashes, want)
		}
	}
}

func testRelease(f fixture) {
	v := f.pending(f.ready())
	release := func(lease string, r queue.Release, attempts int) {
		f.Helper()
		f.claims(lease, false, v)
		released, err := f.ReleaseVerification(f.ctx, lease, r)
		f.must(err)
		got, err := f.Verification(f.ctx, "", "", v.ID)
		f.must(err)
		if !released || got.Status != assay.VerificationPending || got.Lease != "" || got.Attempt != attempts || got.Crashes != 0 {
			f.Errorf("released %t: %+v, want %d attempts", released, got, attempts)
		}
	}
	release(here+"1", queue.Release{CutShort: true}, 0)
	release(here+"2", queue.Release{}, 1)
	release(here+"3", queue.Release{CutShort: true}, 1)
	release(here+"4", queue.Release{Pause: long}, 2)
	f.claimsNone(true)
	c, err := f.CountQueue(f.ctx, here)
	f.must(err)
	if c.Next > long || c.Next < long-time.Minute {
		f.Errorf("the next is available in %v, want an hour", c.Next)
	}
}

func testCountQueue(f fixture) {
	s := f.ready()
	count := func(want queue.Counts) {
		f.Helper()
		got, err := f.CountQueue(f.ctx, here)
		f.must(err)
		want.Next = got.Next
		if diff := cmp.Diff(want, got); diff != "" {
			f.Error(diff)
		}
	}
	count(queue.Counts{})
	f.seen(s, assay.AloneAfter)
	count(queue.Counts{Alone: 1})
	f.pending(s)
	f.claim(here+"1", false)
	f.pending(s)
	f.claim(here+"2", false)
	_, err := f.ReleaseVerification(f.ctx, here+"2", queue.Release{Pause: long})
	f.must(err)
	f.pending(s)
	f.claimFor(there+"1", false, over)
	f.pending(s)
	count(queue.Counts{Available: 1, Alone: 1, Paused: 1, Running: 2, Mine: 1, Expired: 1})
	f.reaps(here, false, 1)
	f.claim(here+"3", false)
	f.claim(here+"4", false)
	f.claim(here+"5", true)
	count(queue.Counts{Paused: 1, Running: 4, Mine: 4, MineAlone: true})
}
