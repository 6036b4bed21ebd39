package storetest

import (
	"github.com/google/go-cmp/cmp"

	"assay"
)

var identityTests = []test{
	{"a user is read as it was stored", testUser},
	{"GitHub accounts are unique, their absence is not", testGitHubID},
	{"terms are accepted once", testAcceptTerms},
	{"a key is found by its hash, with its user", testAPIKeyByHash},
	{"keys are listed oldest first until they are revoked", testAPIKeys},
	{"active keys are limited", testAPIKeyLimit},
	{"the limit of keys holds under concurrency", testAPIKeyLimitRace},
	{"broken rules are told apart", testAPIKeyConstraints},
	{"a key is revoked once, by its user", testRevokeAPIKey},
}

func testUser(f fixture) {
	want := &assay.User{
		ID: assay.NewID(assay.PrefixUser), Name: "Grace", Email: "g@example.org", GitHubID: "42",
		CreatedAt: at, LastLoginAt: &at, TermsAcceptedAt: later(at), Active: true,
	}
	f.must(f.InsertUser(f.ctx, want, untold))
	got, err := f.User(f.ctx, want.ID)
	f.must(err)
	want.CreatedAt, want.LastLoginAt, want.TermsAcceptedAt = kept, &kept, later(kept)
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}

	_, err = f.User(f.ctx, "usr_none")
	f.code(err, assay.CodeUserNotFound)
	f.code(f.InsertUser(f.ctx, want, untold), assay.CodeConflict)
}

func testGitHubID(f fixture) {
	f.user()
	f.user() // neither has a GitHub account
	insert := func(github string) error {
		return f.InsertUser(f.ctx, &assay.User{ID: assay.NewID(assay.PrefixUser), GitHubID: github, CreatedAt: kept}, untold)
	}
	f.must(insert("7"))
	f.must(insert("8"))
	f.code(insert("7"), assay.CodeConflict)
}

func testAcceptTerms(f fixture) {
	u := f.user()
	got, err := f.AcceptTerms(f.ctx, u.ID, at)
	f.must(err)
	again, err := f.AcceptTerms(f.ctx, u.ID, *later(at))
	f.must(err)
	for _, u := range []*assay.User{got, again} {
		if u.TermsAcceptedAt == nil || !u.TermsAcceptedAt.Equal(kept) {
			f.Errorf("terms accepted at %v, want %v", u.TermsAcceptedAt, kept)
		}
	}
	_, err = f.AcceptTerms(f.ctx, "usr_none", at)
	f.code(err, assay.CodeUserNotFound)
}

func newKey(userID string, hash byte) *assay.APIKey {
	return &assay.APIKey{
		ID: assay.NewID(assay.PrefixAPIKey), UserID: userID, Name: "laptop", Hash: []byte{hash, 0, 255}, Hint: "ask_12", CreatedAt: kept,
		Feedback: assay.FeedbackFull,
	}
}

func testAPIKeyByHash(f fixture) {
	u := f.user()
	want := newKey(u.ID, 1)
	want.ExpiresAt = later(kept)
	want.Feedback = assay.FeedbackVerdict
	f.must(f.InsertAPIKey(f.ctx, want, 0, untold))
	f.must(f.TouchAPIKey(f.ctx, want.ID, at))
	want.LastUsedAt = &kept

	key, user, err := f.APIKeyByHash(f.ctx, want.Hash)
	f.must(err)
	if diff := cmp.Diff(want, key); diff != "" {
		f.Error(diff)
	}
	if diff := cmp.Diff(u, user); diff != "" {
		f.Error(diff)
	}

	plain := newKey(u.ID, 3)
	plain.Feedback = ""
	f.must(f.InsertAPIKey(f.ctx, plain, 0, untold))
	if got, err := f.APIKey(f.ctx, plain.ID); err != nil || got.Feedback != assay.FeedbackFull {
		f.Errorf("a key of which nothing was said is told %+v, %v", got, err)
	}

	_, _, err = f.APIKeyByHash(f.ctx, []byte{2})
	f.code(err, assay.CodeAPIKeyNotFound)
	f.code(f.TouchAPIKey(f.ctx, "key_none", at), assay.CodeAPIKeyNotFound)
}

func testAPIKeys(f fixture) {
	u, other := f.user(), f.user()
	var want []string
	for i := range byte(3) {
		k := newKey(u.ID, i)
		want = append(want, k.ID)
		f.must(f.InsertAPIKey(f.ctx, k, 0, untold))
	}
	f.must(f.InsertAPIKey(f.ctx, newKey(other.ID, 9), 0, untold))
	f.must(f.RevokeAPIKey(f.ctx, u.ID, want[1], assay.AuditEvent{At: at}))
	want = []string{want[0], want[2]}

	keys, err := f.APIKeys(f.ctx, u.ID)
	f.must(err)
	var got []string
	for _, k := range keys {
		got = append(got, k.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
}

func testAPIKeyLimit(f fixture) {
	u := f.user()
	expired := newKey(u.ID, 1)
	expired.ExpiresAt = &kept // at the moment at which the others are made
	f.must(f.InsertAPIKey(f.ctx, expired, 2, untold))
	first := newKey(u.ID, 2)
	f.must(f.InsertAPIKey(f.ctx, first, 2, untold))
	f.must(f.InsertAPIKey(f.ctx, newKey(u.ID, 3), 2, untold))
	f.code(f.InsertAPIKey(f.ctx, newKey(u.ID, 4), 2, untold), assay.CodeConflict)

	f.must(f.RevokeAPIKey(f.ctx, u.ID, first.ID, assay.AuditEvent{At: at}))
	f.must(f.InsertAPIKey(f.ctx, newKey(u.ID, 4), 2, untold))
}

func testAPIKeyLimitRace(f fixture) {
	u := f.user()
	stored := race(12, func(i int) bool { return f.InsertAPIKey(f.ctx, newKey(u.ID, byte(i)), 5, untold) == nil })
	if stored != 5 {
		f.Errorf("%d keys were stored, want 5", stored)
	}
}

func testAPIKeyConstraints(f fixture) {
	u := f.user()
	k := newKey(u.ID, 1)
	f.must(f.InsertAPIKey(f.ctx, k, 0, untold))

	sameID := newKey(u.ID, 2)
	sameID.ID = k.ID
	sameSecret := newKey(u.ID, 1)
	errID, errSecret := f.InsertAPIKey(f.ctx, sameID, 0, untold), f.InsertAPIKey(f.ctx, sameSecret, 0, untold)
	f.code(errID, assay.CodeConflict)
	f.code(errSecret, assay.CodeConflict)
	if errID.Error() == errSecret.Error() {
		f.Errorf("an id and a secret that exist already are both told as %q", errID)
	}
	f.code(f.InsertAPIKey(f.ctx, newKey("usr_none", 3), 0, untold), assay.CodeUserNotFound)
}

func testRevokeAPIKey(f fixture) {
	u, other := f.user(), f.user()
	k := newKey(u.ID, 1)
	f.must(f.InsertAPIKey(f.ctx, k, 0, untold))
	f.code(f.RevokeAPIKey(f.ctx, other.ID, k.ID, assay.AuditEvent{At: at}), assay.CodeAPIKeyNotFound)
	f.must(f.RevokeAPIKey(f.ctx, u.ID, k.ID, assay.AuditEvent{At: at}))
	f.code(f.RevokeAPIKey(f.ctx, u.ID, k.ID, assay.AuditEvent{At: at}), assay.CodeAPIKeyNotFound)

	f.code(f.RevokeAPIKey(f.ctx, "", k.ID, assay.AuditEvent{At: at}), assay.CodeAPIKeyNotFound) // nobody's is not everybody's
	byHash, _, err := f.APIKeyByHash(f.ctx, k.Hash)
	f.must(err)
	byID, err := f.APIKey(f.ctx, k.ID)
	f.must(err)
	if diff := cmp.Diff(byHash, byID); diff != "" {
		f.Error(diff)
	}
	if byID.Active(kept) {
		f.Error("a revoked key is active")
	}
	_, err = f.APIKey(f.ctx, "key_none")
	f.code(err, assay.CodeAPIKeyNotFound)
}
