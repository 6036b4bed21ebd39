package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/identity"
)

var loginTests = []test{
	{"the first login makes the user, later ones find it", testLogIn},
	{"first logins at once make one user", testLogInRace},
	{"users with one e-mail address stay apart", testLogInSharedEmail},
	{"a disabled user does not log in, and nothing is stored", testLogInDisabled},
	{"a login is found by its id and its refresh token, with its user", testLoginRead},
	{"a login is revoked once", testRevokeLogin},
	{"logins of a user are bounded, and expired ones go", testLoginsPruned},
	{"to disable a user ends its logins for good", testDisableEndsLogins},
	{"a state is taken once, also by many at once", testLoginState},
	{"states that have expired go", testLoginStatesExpire},
}

// login is a login with a GitHub account; n tells its secrets apart.
func newLogin(github string, n byte) identity.LoginRecord {
	return identity.LoginRecord{
		User: &assay.User{
			ID: assay.NewID(assay.PrefixUser), Name: "Octo", Email: "octo@example.org", GitHubID: github,
			CreatedAt: kept, LastLoginAt: &kept, Active: true,
		},
		Login: &assay.Login{
			ID: assay.NewID(assay.PrefixLogin), RefreshHash: []byte{n, 0, 255}, CreatedAt: kept, ExpiresAt: kept.Add(time.Hour),
			Address: "192.0.2.1", UserAgent: "curl/8",
		},
		MaxLogins:     10,
		WelcomeCredit: assay.FromCents(500),
	}
}

// logIn stores a login.
func (f fixture) logIn(r identity.LoginRecord) *assay.User {
	f.Helper()
	u, _, err := f.LogIn(f.ctx, r)
	f.must(err)
	return u
}

// actions are those that the audit log tells of a user.
func (f fixture) actions(userID string) []assay.AuditAction {
	f.Helper()
	events, err := f.Audit(f.ctx, identity.AuditQuery{UserID: userID, Limit: 100})
	f.must(err)
	var actions []assay.AuditAction
	for _, e := range events {
		actions = append(actions, e.Action)
	}
	return actions
}

func testLogIn(f fixture) {
	first := newLogin("42", 1)
	u, isNew, err := f.LogIn(f.ctx, first)
	f.must(err)
	if diff := cmp.Diff(first.User, u); diff != "" || !isNew {
		f.Errorf("new: %v\n%s", isNew, diff)
	}

	second := newLogin("42", 2)
	second.User.Name, second.User.Email, second.User.LastLoginAt = "Octavia", "new@example.org", later(kept)
	u, isNew, err = f.LogIn(f.ctx, second)
	f.must(err)
	want := *first.User
	want.Name, want.Email, want.LastLoginAt = "Octavia", "new@example.org", later(kept)
	if diff := cmp.Diff(&want, u); diff != "" || isNew {
		f.Errorf("new: %v\n%s", isNew, diff)
	}
	if got := f.totals(u.ID).Deposits; got != (assay.Tally{Count: 1, Amount: assay.FromCents(500)}) {
		f.Errorf("two logins of one user gave %+v", got)
	}
	read, err := f.User(f.ctx, u.ID)
	f.must(err)
	if diff := cmp.Diff(u, read); diff != "" {
		f.Error(diff)
	}
	if diff := cmp.Diff([]assay.AuditAction{assay.AuditUserCreate, assay.AuditCredit, assay.AuditLogin, assay.AuditLogin}, f.actions(u.ID)); diff != "" {
		f.Error(diff)
	}
}

func testLogInRace(f fixture) {
	ids := make([]string, 12)
	made := race(len(ids), func(i int) bool {
		u, isNew, err := f.LogIn(f.ctx, newLogin("42", byte(i)))
		if err != nil {
			f.Error(err)
			return false
		}
		ids[i] = u.ID
		return isNew
	})
	if made != 1 {
		f.Errorf("%d of the logins made a user", made)
	}
	for _, id := range ids {
		if id != ids[0] {
			f.Errorf("one account became users %s and %s", ids[0], id)
		}
	}
}

func testLogInSharedEmail(f fixture) {
	operators := f.user()
	a, b := newLogin("1", 1), newLogin("2", 2)
	a.User.Email, b.User.Email = operators.Email, operators.Email
	ids := map[string]bool{operators.ID: true, f.logIn(a).ID: true, f.logIn(b).ID: true}
	if len(ids) != 3 {
		f.Errorf("three users with one address became %d", len(ids))
	}
}

func testLogInDisabled(f fixture) {
	u := f.logIn(newLogin("42", 1))
	_, err := f.SetUserActive(f.ctx, u.ID, false, untold)
	f.must(err)
	again := newLogin("42", 2)
	again.User.Name = "Changed"
	_, _, err = f.LogIn(f.ctx, again)
	f.code(err, assay.CodeUserDisabled)

	read, err := f.User(f.ctx, u.ID)
	f.must(err)
	if read.Name != u.Name {
		f.Error("a refused login changed the user")
	}
	_, _, err = f.Login(f.ctx, again.Login.ID)
	f.code(err, assay.CodeUnauthenticated)
}

func testLoginRead(f fixture) {
	r := newLogin("42", 1)
	u := f.logIn(r)
	want := *r.Login
	want.UserID = u.ID
	for name, read := range map[string]func() (*assay.Login, *assay.User, error){
		"id":   func() (*assay.Login, *assay.User, error) { return f.Login(f.ctx, want.ID) },
		"hash": func() (*assay.Login, *assay.User, error) { return f.LoginByRefreshHash(f.ctx, want.RefreshHash) },
	} {
		login, user, err := read()
		f.must(err)
		if diff := cmp.Diff(&want, login) + cmp.Diff(u, user); diff != "" {
			f.Errorf("by %s: %s", name, diff)
		}
	}
	_, _, err := f.Login(f.ctx, "log_none")
	f.code(err, assay.CodeUnauthenticated)
	_, _, err = f.LoginByRefreshHash(f.ctx, []byte{9})
	f.code(err, assay.CodeUnauthenticated)
}

func testRevokeLogin(f fixture) {
	r := newLogin("42", 1)
	u := f.logIn(r)
	event := assay.AuditEvent{At: at, Actor: u.ID, Action: assay.AuditLogout, UserID: u.ID, Subject: r.Login.ID}
	f.must(f.RevokeLogin(f.ctx, r.Login.ID, event))
	event.At = *later(at)
	f.must(f.RevokeLogin(f.ctx, r.Login.ID, event))
	f.must(f.RevokeLogin(f.ctx, "log_none", event))

	login, _, err := f.Login(f.ctx, r.Login.ID)
	f.must(err)
	if login.Active(kept) || !login.RevokedAt.Equal(kept) {
		f.Errorf("revoked at %v, want %v", login.RevokedAt, kept)
	}
	if logins, err := f.Logins(f.ctx, u.ID, kept); err != nil || len(logins) != 0 {
		f.Errorf("a revoked login is listed: %v, %v", logins, err)
	}
	if diff := cmp.Diff([]assay.AuditAction{assay.AuditUserCreate, assay.AuditCredit, assay.AuditLogin, assay.AuditLogout}, f.actions(u.ID)); diff != "" {
		f.Error(diff)
	}
}

func testLoginsPruned(f fixture) {
	other := newLogin("7", 100)
	f.logIn(other)
	var (
		userID string
		want   []string
	)
	for i := range byte(5) {
		r := newLogin("42", i)
		r.MaxLogins = 3
		userID = f.logIn(r).ID
		want = append(want, r.Login.ID)
	}
	want = want[2:]
	logins, err := f.Logins(f.ctx, userID, kept)
	f.must(err)
	var got []string
	for _, l := range logins {
		got = append(got, l.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
	if logins, err := f.Logins(f.ctx, userID, kept.Add(time.Hour)); err != nil || len(logins) != 0 {
		f.Errorf("expired logins are listed: %v, %v", logins, err)
	}

	late := newLogin("8", 200)
	late.Login.CreatedAt, late.Login.ExpiresAt = kept.Add(time.Hour), kept.Add(2*time.Hour)
	f.logIn(late)
	_, _, err = f.Login(f.ctx, other.Login.ID)
	f.code(err, assay.CodeUnauthenticated) // it expired at that moment
}

func testDisableEndsLogins(f fixture) {
	r := newLogin("42", 1)
	u := f.logIn(r)
	disable := assay.AuditEvent{At: at, Actor: assay.ActorOperator, Action: assay.AuditUserDisable, UserID: u.ID}
	enable := assay.AuditEvent{At: at, Actor: assay.ActorOperator, Action: assay.AuditUserEnable, UserID: u.ID}
	for range 2 { // the second one changes nothing, and is not told
		got, err := f.SetUserActive(f.ctx, u.ID, false, disable)
		f.must(err)
		if got.Active {
			f.Error("a disabled user is active")
		}
	}
	got, err := f.SetUserActive(f.ctx, u.ID, true, enable)
	f.must(err)
	if !got.Active {
		f.Error("an enabled user is not active")
	}
	login, _, err := f.Login(f.ctx, r.Login.ID)
	f.must(err)
	if login.Active(kept) {
		f.Error("the login came back with the user")
	}
	_, err = f.SetUserActive(f.ctx, "usr_none", false, disable)
	f.code(err, assay.CodeUserNotFound)
	want := []assay.AuditAction{assay.AuditUserCreate, assay.AuditCredit, assay.AuditLogin, assay.AuditUserDisable, assay.AuditUserEnable}
	if diff := cmp.Diff(want, f.actions(u.ID)); diff != "" {
		f.Error(diff)
	}
}

func newState(n byte, expires time.Time) *identity.LoginState {
	return &identity.LoginState{Hash: []byte{n}, BrowserHash: []byte{n, n}, RedirectURI: "https://assay.test/login", ExpiresAt: expires}
}

func testLoginState(f fixture) {
	want := newState(1, *later(kept))
	f.must(f.InsertLoginState(f.ctx, want, kept))
	f.must(f.InsertLoginState(f.ctx, newState(2, *later(kept)), kept))
	taken := race(8, func(int) bool {
		got, err := f.TakeLoginState(f.ctx, want.Hash)
		if err != nil {
			f.Error(err)
		}
		if got != nil {
			if diff := cmp.Diff(want, got); diff != "" {
				f.Error(diff)
			}
		}
		return got != nil
	})
	if taken != 1 {
		f.Errorf("a state was taken %d times", taken)
	}
	if got, err := f.TakeLoginState(f.ctx, []byte{9}); got != nil || err != nil {
		f.Errorf("a state that is not there: %v, %v", got, err)
	}
}

func testLoginStatesExpire(f fixture) {
	f.must(f.InsertLoginState(f.ctx, newState(1, kept), kept.Add(-time.Second)))
	f.must(f.InsertLoginState(f.ctx, newState(2, *later(kept)), kept))
	if got, err := f.TakeLoginState(f.ctx, []byte{1}); got != nil || err != nil {
		f.Errorf("an expired state is still there: %v, %v", got, err)
	}
	if got, err := f.TakeLoginState(f.ctx, []byte{2}); got == nil || err != nil {
		f.Errorf("a state is gone that has not expired: %v", err)
	}
}
