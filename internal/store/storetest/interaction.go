package storetest

import (
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/session"
)

var interactionTests = []test{
	{"an interaction is read as it was stored, and as it ended", testInteraction},
	{"an interaction of another session or user does not exist", testInteractionOwner},
	{"a command needs a session that is ready", testInteractionReadiness},
	{"running commands are limited", testCommandLimit},
	{"the limit of running commands holds under concurrency", testCommandLimitRace},
	{"an idempotency key stores one interaction", testInteractionIdempotency},
	{"an idempotency key stores one interaction under concurrency", testInteractionIdempotencyRace},
	{"one of many ends is stored", testFinishRace},
	{"an end that is none is refused", testFinishRefused},
	{"a look into the history is noted once a session", testLookups},
	{"running interactions are found until they end", testRunning},
}

func newInteraction(sessionID string) *assay.Interaction {
	return &assay.Interaction{
		ID: assay.NewID(assay.PrefixInteraction), SessionID: sessionID, CreatedAt: kept,
		Command: "echo 'ü\x00'", Timeout: 90 * time.Second, Status: assay.InteractionProcessing,
	}
}

func (f fixture) running(sessionID string) *assay.Interaction {
	f.Helper()
	in, _, err := f.InsertInteraction(f.ctx, newInteraction(sessionID), session.Idempotency{}, 0)
	f.must(err)
	return in
}

func ended(in *assay.Interaction, exitCode int) *assay.Interaction {
	end := *in
	end.Status, end.ExitCode = assay.InteractionCompleted, exitCode
	return &end
}

func testInteraction(f fixture) {
	s := f.ready()
	want := newInteraction(s.ID)
	want.CreatedAt = at
	got, created, err := f.InsertInteraction(f.ctx, want, session.Idempotency{}, 1)
	f.must(err)
	if !created {
		f.Error("the first interaction was not created")
	}
	want.CreatedAt = kept
	read, err := f.Interaction(f.ctx, s.UserID, s.ID, want.ID)
	f.must(err)
	for _, in := range []*assay.Interaction{got, read} {
		if diff := cmp.Diff(want, in); diff != "" {
			f.Error(diff)
		}
	}

	want = ended(want, -1000)
	want.Status, want.Message, want.Duration = assay.InteractionFailed, "it died", 1500*time.Microsecond
	want.Stdout = assay.Output{Text: strings.Repeat("ü\x00\n", assay.OutputLimit/4), Bytes: 1 << 40, Truncated: true}
	want.Stderr = assay.Output{Text: "oops\r\n", Bytes: 6}
	finished, err := f.FinishInteraction(f.ctx, want)
	f.must(err)
	if !finished {
		f.Error("the end was not stored")
	}
	read, err = f.Interaction(f.ctx, s.UserID, s.ID, want.ID)
	f.must(err)
	if diff := cmp.Diff(want, read); diff != "" {
		f.Error(diff)
	}
}

func testInteractionOwner(f fixture) {
	s, other := f.ready(), f.ready()
	in := f.running(s.ID)
	for _, ids := range [][3]string{
		{other.UserID, s.ID, in.ID}, {s.UserID, other.ID, in.ID}, {s.UserID, s.ID, "int_none"}, {"", s.ID, in.ID}, {"", "", in.ID},
	} {
		_, err := f.Interaction(f.ctx, ids[0], ids[1], ids[2])
		f.code(err, assay.CodeInteractionNotFound)
	}
}

func testInteractionReadiness(f fixture) {
	insert := func(sessionID string) error {
		_, _, err := f.InsertInteraction(f.ctx, newInteraction(sessionID), session.Idempotency{}, 0)
		return err
	}
	f.code(insert("ses_none"), assay.CodeSessionNotFound)
	f.code(insert(f.creating().ID), assay.CodeSessionNotReady)
	s := f.ready()
	in := f.running(s.ID)
	f.code(func() error {
		_, _, err := f.InsertInteraction(f.ctx, in, session.Idempotency{}, 0)
		return err
	}(), assay.CodeConflict)
	f.close(s.ID)
	f.code(insert(s.ID), assay.CodeSessionEnded)
}

func testCommandLimit(f fixture) {
	s := f.ready()
	first := f.running(s.ID)
	f.running(s.ID)
	insert := func() error {
		_, _, err := f.InsertInteraction(f.ctx, newInteraction(s.ID), session.Idempotency{}, 2)
		return err
	}
	f.code(insert(), assay.CodeTooManyCommands)
	_, err := f.FinishInteraction(f.ctx, ended(first, 0))
	f.must(err)
	f.must(insert())
}

func testCommandLimitRace(f fixture) {
	s := f.ready()
	stored := race(16, func(int) bool {
		_, created, err := f.InsertInteraction(f.ctx, newInteraction(s.ID), session.Idempotency{}, 5)
		if err != nil {
			f.code(err, assay.CodeTooManyCommands)
		}
		return created
	})
	if stored != 5 {
		f.Errorf("%d commands were stored, want 5", stored)
	}
}

func testInteractionIdempotency(f fixture) {
	s, other := f.ready(), f.ready()
	insert := func(sessionID, key, hash string) (*assay.Interaction, bool, error) {
		return f.InsertInteraction(f.ctx, newInteraction(sessionID), session.Idempotency{Key: key, RequestHash: hash}, 1)
	}
	first, created, err := insert(s.ID, "k", "h")
	f.must(err)
	if !created {
		f.Error("the first request created nothing")
	}
	end := ended(first, 3)
	end.Stdout = assay.Output{Text: "out", Bytes: 3}
	_, err = f.FinishInteraction(f.ctx, end)
	f.must(err)
	f.close(s.ID)

	again, created, err := insert(s.ID, "k", "h") // although the session has ended
	f.must(err)
	if diff := cmp.Diff(end, again); diff != "" || created {
		f.Errorf("the same request again: created %v\n%s", created, diff)
	}
	_, _, err = insert(s.ID, "k", "other")
	f.code(err, assay.CodeConflict)
	_, created, err = insert(other.ID, "k", "h")
	f.must(err)
	if !created {
		f.Error("the key of one session is taken for that of another")
	}
}

func testInteractionIdempotencyRace(f fixture) {
	s := f.ready()
	created := race(8, func(int) bool {
		_, created, err := f.InsertInteraction(f.ctx, newInteraction(s.ID), session.Idempotency{Key: "k", RequestHash: "h"}, 1)
		f.code(err, "")
		return created
	})
	if created != 1 {
		f.Errorf("%d interactions were created, want 1", created)
	}
}

func testFinishRace(f fixture) {
	s := f.ready()
	in := f.running(s.ID)
	var winner int
	won := race(12, func(i int) bool {
		finished, err := f.FinishInteraction(f.ctx, ended(in, i))
		f.code(err, "")
		if finished {
			winner = i
		}
		return finished
	})
	if won != 1 {
		f.Fatalf("%d ends were stored, want 1", won)
	}
	got, err := f.Interaction(f.ctx, s.UserID, s.ID, in.ID)
	f.must(err)
	if got.ExitCode != winner {
		f.Errorf("exit code %d, want that of the winner, %d", got.ExitCode, winner)
	}
}

func testFinishRefused(f fixture) {
	in := f.running(f.ready().ID)
	if _, err := f.FinishInteraction(f.ctx, in); err == nil {
		f.Error("an interaction ended in state processing")
	}
	_, err := f.FinishInteraction(f.ctx, ended(newInteraction(in.SessionID), 0))
	f.code(err, assay.CodeInteractionNotFound)
}

func testRunning(f fixture) {
	s, other := f.ready(), f.ready()
	a, b, c := f.running(s.ID), f.running(s.ID), f.running(other.ID)
	_, err := f.FinishInteraction(f.ctx, ended(a, 0))
	f.must(err)
	for sessionID, want := range map[string][]*assay.Interaction{s.ID: {b}, other.ID: {c}, "": {b, c}, "ses_none": nil} {
		got, err := f.RunningInteractions(f.ctx, sessionID)
		f.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			f.Errorf("session %q: %s", sessionID, diff)
		}
	}
}

func testLookups(f fixture) {
	s, other := f.ready(), f.ready()
	first := assay.Lookup{At: kept, What: "git reflog"}
	f.must(f.NoteLookup(f.ctx, s.ID, assay.Lookup{At: at, What: "git reflog"}))
	f.must(f.NoteLookup(f.ctx, s.ID, assay.Lookup{At: at.Add(time.Hour), What: "git reflog"})) // the first stays
	f.must(f.NoteLookup(f.ctx, s.ID, assay.Lookup{At: at, What: "git fsck"}))
	f.must(f.NoteLookup(f.ctx, other.ID, assay.Lookup{At: at, What: "git stash"}))
	got, err := f.Lookups(f.ctx, s.ID)
	f.must(err)
	if diff := cmp.Diff([]assay.Lookup{{At: kept, What: "git fsck"}, first}, got); diff != "" {
		f.Errorf("lookups (-want +got):\n%s", diff)
	}
	if err := f.NoteLookup(f.ctx, "ses_none", first); err == nil {
		f.Error("a lookup of no session was stored")
	}
}
