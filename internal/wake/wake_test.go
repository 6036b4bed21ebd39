package wake

import (
	"sync"
	"testing"
	"testing/synctest"
)

func TestNotifyWakesAllWaitersOfTheKeyAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hub Hub
		var woken sync.WaitGroup
		for range 3 {
			news, stop := hub.Subscribe("a")
			woken.Go(func() {
				defer stop()
				<-news
			})
		}
		other, stop := hub.Subscribe("b")
		defer stop()

		hub.Notify("a")
		woken.Wait()

		select {
		case <-other:
			t.Error("a waiter of b was woken by a")
		default:
		}
	})
}

func TestNewsBetweenSubscribeAndReadIsNotMissed(t *testing.T) {
	var hub Hub
	news, stop := hub.Subscribe("a")
	defer stop()
	hub.Notify("a") // before anybody receives
	<-news
}

func TestNothingIsKeptForThoseWhoLeft(t *testing.T) {
	var hub Hub
	_, stop := hub.Subscribe("a")
	stop()
	stop()
	_, stop = hub.Subscribe("b")
	hub.Notify("b")
	stop()
	if len(hub.waiters) != 0 {
		t.Errorf("%d keys are kept, want none", len(hub.waiters))
	}
}
