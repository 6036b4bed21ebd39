package queue_test

import (
	"testing"
	"time"

	"assay"
	"assay/internal/queue"
)

// A claim of which nobody works, as one whose answer was lost, is abandoned, and begins again.
// Another server's is left alone.
func TestWhatNobodyWorksOnIsAbandoned(t *testing.T) {
	onEach(t, func(f *fixture) {
		q := f.queue(queue.Config{Judge: newJudge(f).judge})
		f.add("ada", "ver_1", "")
		f.add("ada", "ver_2", "")
		ours, others := q.Server()+"x", "another0x"
		for _, lease := range []string{ours, others} {
			job, err := f.store.ClaimVerification(f.Context(), queue.Claim{Lease: lease, For: time.Hour, Alone: true, At: time.Now()})
			must(f, err)
			if got, want := q.Abandoned(lease), lease == ours; got != want {
				f.Errorf("under %s, %s is abandoned: %t", lease, job.ID, got)
			}
			must(f, q.GiveBack(f.Context(), lease))
			given := f.get(job.ID).Status == assay.VerificationPending
			if given != (lease == ours) {
				f.Errorf("under %s, %s was given back: %t", lease, job.ID, given)
			}
		}
	})
}

// What a worker has is not abandoned.
func TestWhatIsWorkedOnIsNotAbandoned(t *testing.T) {
	onEach(t, func(f *fixture) {
		j := newJudge(f)
		q := f.queue(queue.Config{Judge: j.judge})
		must(f, q.Start(f.Context()))
		f.enqueue(q, "ver_1")
		j.next("ver_1")
		lease := f.get("ver_1").Lease
		if q.Abandoned(lease) {
			f.Errorf("%s is abandoned, though somebody works under it", lease)
		}
		must(f, q.GiveBack(f.Context(), lease))
		if v := f.get("ver_1"); v.Lease != lease {
			f.Errorf("it was taken from its worker: %s of %q", v.Status, v.Lease)
		}
		j.end <- struct{}{}
	})
}
