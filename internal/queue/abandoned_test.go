package queue_test

import (
	"context"
	"errors"
	"testing"

	"assay"
	"assay/internal/queue"
)

// keepsNothing takes no job back, as a database that is away.
type keepsNothing struct {
	queue.Store
	away bool
}

func (k *keepsNothing) ReleaseVerification(ctx context.Context, lease string, r queue.Release) (bool, error) {
	if k.away {
		return false, errors.New("the database is away")
	}
	return k.Store.ReleaseVerification(ctx, lease, r)
}

// A job whose attempt failed, and that could not be given back, is nobody's until it is given
// back; another's is left alone.
func TestWhatCouldNotBeGivenBackIsAbandoned(t *testing.T) {
	onEach(t, func(f *fixture) {
		store := &keepsNothing{Store: f.store, away: true}
		begun, proceed := make(chan string, 1), make(chan struct{})
		q := f.queue(queue.Config{Store: store, Judge: func(_ context.Context, v *assay.Verification) error {
			begun <- v.Lease
			<-proceed
			return errors.New("it cannot be judged now")
		}})
		f.add("ada", "ver_1", "")
		must(f, q.Start(f.Context()))
		lease := <-begun
		if q.Abandoned(lease) {
			f.Error("it is abandoned, though somebody works on it")
		}
		if q.Abandoned("another01") {
			f.Error("what another server has is abandoned")
		}
		close(proceed)
		must(f, stopNow(q)) // it has ended
		if !q.Abandoned(lease) {
			f.Error("it is not abandoned, though nobody works on it")
		}
		store.away = false
		must(f, q.GiveBack(f.Context(), lease))
		if v := f.get("ver_1"); v.Status != assay.VerificationPending || v.Lease != "" {
			f.Errorf("it is %s of %q", v.Status, v.Lease)
		}
	})
}
