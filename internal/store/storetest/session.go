package storetest

import (
	"slices"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/session"
)

var sessionTests = []test{
	{"a session is read as it was stored", testSession},
	{"somebody else's session does not exist", testSessionOwner},
	{"broken rules are told apart", testSessionConstraints},
	{"live sessions are limited", testLiveLimits},
	{"the limits of live sessions hold under concurrency", testLiveLimitsRace},
	{"an idempotency key stores one session", testSessionIdempotency},
	{"an idempotency key stores one session under concurrency", testSessionIdempotencyRace},
	{"a move sets what it names and no more", testMoveSession},
	{"one of many moves wins", testMoveSessionRace},
	{"a move that is forbidden is refused", testMoveSessionForbidden},
	{"a handle is stored while the session lives", testSetHandle},
	{"live sessions of disabled users are found", testLiveOfDisabled},
	{"pages go from the newest to the oldest", testSessionPages},
	{"lists are filtered", testSessionFilters},
}

func testSession(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	want := newSession(u.ID, "starter", "one")
	want.Handle = `{"id":"x"}`
	want.RequestedAt, want.ExpiresAt = at, *later(at)
	got, created, err := f.InsertSession(f.ctx, want, session.Idempotency{}, session.LiveLimits{})
	f.must(err)
	if !created {
		f.Error("the first session was not created")
	}
	want.RequestedAt, want.ExpiresAt = kept, *later(kept)
	read, err := f.Session(f.ctx, u.ID, want.ID)
	f.must(err)
	for _, s := range []*assay.Session{got, read} {
		if diff := cmp.Diff(want, s); diff != "" {
			f.Error(diff)
		}
	}
}

func testSessionOwner(f fixture) {
	s := f.creating()
	_, err := f.Session(f.ctx, f.user().ID, s.ID)
	f.code(err, assay.CodeSessionNotFound)
	_, err = f.Session(f.ctx, s.UserID, "ses_none")
	f.code(err, assay.CodeSessionNotFound)
	_, err = f.Session(f.ctx, "", s.ID)
	f.must(err)
}

func testSessionConstraints(f fixture) {
	s := f.creating()
	insert := func(s *assay.Session) error {
		_, _, err := f.InsertSession(f.ctx, s, session.Idempotency{}, session.LiveLimits{})
		return err
	}
	f.code(insert(s), assay.CodeConflict)
	f.code(insert(newSession("usr_none", "starter", "one")), assay.CodeUserNotFound)
	f.code(insert(newSession(s.UserID, "starter", "none")), assay.CodeSampleNotFound)
}

func testLiveOfDisabled(f fixture) {
	f.ready() // of somebody who is not disabled
	live, ended := f.ready(), f.ready()
	f.close(ended.ID)
	for _, s := range []*assay.Session{live, ended} {
		_, err := f.SetUserActive(f.ctx, s.UserID, false, assay.AuditEvent{})
		f.must(err)
	}
	ids, err := f.LiveOfDisabled(f.ctx)
	f.must(err)
	if !slices.Equal(ids, []string{live.ID}) {
		f.Errorf("found %q, want %s", ids, live.ID)
	}
}

func testLiveLimits(f fixture) {
	first := f.ready()
	other := f.user()
	insert := func(userID string, limits session.LiveLimits) error {
		_, _, err := f.InsertSession(f.ctx, newSession(userID, "starter", "one"), session.Idempotency{}, limits)
		return err
	}
	f.code(insert(first.UserID, session.LiveLimits{PerUser: 1}), assay.CodeTooManySessions)
	f.must(insert(other.ID, session.LiveLimits{PerUser: 1, Total: 2}))
	f.code(insert(f.user().ID, session.LiveLimits{PerUser: 1, Total: 2}), assay.CodeTooManySessions)

	f.close(first.ID)
	f.must(insert(first.UserID, session.LiveLimits{PerUser: 1, Total: 2}))
}

func testLiveLimitsRace(f fixture) {
	a, b := f.user(), f.user()
	f.sample("starter", "one")
	stored := race(16, func(i int) bool {
		u := a
		if i%2 == 0 {
			u = b
		}
		_, created, err := f.InsertSession(f.ctx, newSession(u.ID, "starter", "one"), session.Idempotency{}, session.LiveLimits{PerUser: 4, Total: 6})
		if err != nil {
			f.code(err, assay.CodeTooManySessions)
		}
		return created
	})
	if stored != 6 {
		f.Errorf("%d sessions were stored, want 6", stored)
	}
	for _, u := range []*assay.User{a, b} {
		page, err := f.Sessions(f.ctx, session.Query{UserID: u.ID})
		f.must(err)
		if page.Total > 4 {
			f.Errorf("a user has %d live sessions, want at most 4", page.Total)
		}
	}
}

func testSessionIdempotency(f fixture) {
	u, other := f.user(), f.user()
	f.sample("starter", "one")
	insert := func(userID, key, hash string) (*assay.Session, bool, error) {
		return f.InsertSession(f.ctx, newSession(userID, "starter", "one"), session.Idempotency{Key: key, RequestHash: hash}, session.LiveLimits{PerUser: 1})
	}
	first, created, err := insert(u.ID, "k", "h")
	f.must(err)
	if !created {
		f.Error("the first request created nothing")
	}
	again, created, err := insert(u.ID, "k", "h") // although the limit is reached
	f.must(err)
	if created || again.ID != first.ID {
		f.Errorf("the same request again created %v and returned %s, want %s", created, again.ID, first.ID)
	}
	_, _, err = insert(u.ID, "k", "other")
	f.code(err, assay.CodeConflict)
	_, created, err = insert(other.ID, "k", "h")
	f.must(err)
	if !created {
		f.Error("the key of one user is taken for that of another")
	}
}

func testSessionIdempotencyRace(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	created := race(8, func(int) bool {
		_, created, err := f.InsertSession(f.ctx, newSession(u.ID, "starter", "one"), session.Idempotency{Key: "k", RequestHash: "h"}, session.LiveLimits{})
		f.code(err, "")
		return created
	})
	if created != 1 {
		f.Errorf("%d sessions were created, want 1", created)
	}
}

func testMoveSession(f fixture) {
	want := f.creating()
	got, moved, err := f.MoveSession(f.ctx, want.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &at})
	f.must(err)
	if !moved {
		f.Error("the session was not moved")
	}
	want.Status, want.ReadyAt = assay.SessionReady, &kept
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}

	why := &assay.Failure{Code: assay.CodeExpired, Message: "its time was over"}
	got, moved, err = f.MoveSession(f.ctx, want.ID, assay.SessionReady, session.SessionChange{Status: assay.SessionTerminated, EndedAt: later(at), Error: why})
	f.must(err)
	if !moved {
		f.Error("the session was not moved")
	}
	want.Status, want.EndedAt, want.Error = assay.SessionTerminated, later(kept), why
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}

	got, moved, err = f.MoveSession(f.ctx, want.ID, assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: later(*later(at))})
	f.must(err)
	if moved {
		f.Error("the session was moved from a state that it had left")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
	_, _, err = f.MoveSession(f.ctx, "ses_none", assay.SessionReady, session.SessionChange{Status: assay.SessionClosed, EndedAt: later(kept)})
	f.code(err, assay.CodeSessionNotFound)
}

func testMoveSessionRace(f fixture) {
	s := f.ready()
	ends := []assay.SessionStatus{assay.SessionClosed, assay.SessionTerminated}
	won := race(12, func(i int) bool {
		got, moved, err := f.MoveSession(f.ctx, s.ID, assay.SessionReady, session.SessionChange{Status: ends[i%2], EndedAt: later(kept)})
		f.code(err, "")
		return err == nil && moved && got.Status == ends[i%2]
	})
	if won != 1 {
		f.Errorf("%d moves won, want 1", won)
	}
}

func testMoveSessionForbidden(f fixture) {
	s := f.ready()
	for _, to := range []assay.SessionStatus{assay.SessionCreating, assay.SessionReady, assay.SessionError} {
		if _, _, err := f.MoveSession(f.ctx, s.ID, assay.SessionReady, session.SessionChange{Status: to}); err == nil {
			f.Errorf("a session that is ready became %s", to)
		}
	}
	got, err := f.Session(f.ctx, s.UserID, s.ID)
	f.must(err)
	if diff := cmp.Diff(s, got); diff != "" {
		f.Error(diff)
	}
}

func testSetHandle(f fixture) {
	s := f.creating()
	f.must(f.SetHandle(f.ctx, s.ID, "h1", "there", "sha256:1"))
	s, _, err := f.MoveSession(f.ctx, s.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionReady, ReadyAt: &kept})
	f.must(err)
	if s.Handle != "h1" || s.Location != "there" || s.ImageDigest != "sha256:1" {
		f.Errorf("handle %q at %q of image %q, want h1 at there of sha256:1", s.Handle, s.Location, s.ImageDigest)
	}
	f.close(s.ID)
	f.code(f.SetHandle(f.ctx, s.ID, "h2", "there", ""), assay.CodeSessionEnded)
	f.code(f.SetHandle(f.ctx, "ses_none", "h", "there", ""), assay.CodeSessionNotFound)
}

func testSessionPages(f fixture) {
	u := f.user()
	f.sample("starter", "one")
	var want []string
	for range 7 {
		s, _, err := f.InsertSession(f.ctx, newSession(u.ID, "starter", "one"), session.Idempotency{}, session.LiveLimits{})
		f.must(err)
		want = append([]string{s.ID}, want...)
	}
	var got []string
	for before, more := "", true; more; {
		page, err := f.Sessions(f.ctx, session.Query{UserID: u.ID, Limit: 3, Before: before})
		f.must(err)
		if page.Total != 7 {
			f.Errorf("total %d, want 7", page.Total)
		}
		for _, s := range page.Sessions {
			got = append(got, s.ID)
		}
		if more = page.More; more {
			before = got[len(got)-1]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
	all, err := f.Sessions(f.ctx, session.Query{UserID: u.ID, Limit: 7})
	f.must(err)
	if len(all.Sessions) != 7 || all.More {
		f.Errorf("a page of 7 holds %d and more is %v", len(all.Sessions), all.More)
	}
}

func testSessionFilters(f fixture) {
	ready := f.ready()
	creating := f.creating() // of another user
	f.sample("second", "two")
	second, _, err := f.InsertSession(f.ctx, newSession(ready.UserID, "second", "two"), session.Idempotency{}, session.LiveLimits{})
	f.must(err)
	closed, _, err := f.InsertSession(f.ctx, newSession(ready.UserID, "second", "two"), session.Idempotency{}, session.LiveLimits{})
	f.must(err)
	_, _, err = f.MoveSession(f.ctx, closed.ID, assay.SessionCreating, session.SessionChange{Status: assay.SessionClosed})
	f.must(err)

	for name, tt := range map[string]struct {
		query session.Query
		want  []string
	}{
		"of a user":             {session.Query{UserID: ready.UserID}, []string{closed.ID, second.ID, ready.ID}},
		"of all users":          {session.Query{}, []string{closed.ID, second.ID, creating.ID, ready.ID}},
		"of a dataset":          {session.Query{UserID: ready.UserID, Dataset: "second"}, []string{closed.ID, second.ID}},
		"in a state":            {session.Query{Status: assay.SessionCreating}, []string{second.ID, creating.ID}},
		"of a dataset, a state": {session.Query{UserID: ready.UserID, Dataset: "second", Status: assay.SessionClosed}, []string{closed.ID}},
		"of nobody":             {session.Query{UserID: "usr_none"}, nil},
	} {
		page, err := f.Sessions(f.ctx, tt.query)
		f.must(err)
		var got []string
		for _, s := range page.Sessions {
			got = append(got, s.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || page.Total != len(tt.want) {
			f.Errorf("sessions %s: total %d, want %d\n%s", name, page.Total, len(tt.want), diff)
		}
	}

	live, err := f.LiveSessions(f.ctx)
	f.must(err)
	var got []string
	for _, s := range live {
		got = append(got, s.ID)
	}
	slices.Sort(got) // the store's order is its own
	if diff := cmp.Diff([]string{ready.ID, creating.ID, second.ID}, got); diff != "" {
		f.Error(diff)
	}
}
