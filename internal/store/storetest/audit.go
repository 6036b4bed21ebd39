package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
	"assay/internal/identity"
)

var auditTests = []test{
	{"events are read as they were stored, the newest ones, oldest first", testAudit},
	{"what fails is not told", testAuditOfFailures},
	{"keys are told of", testAuditOfKeys},
	{"users are listed by pages", testUsers},
}

func testAudit(f fixture) {
	var want []assay.AuditEvent
	for i, e := range []assay.AuditEvent{
		{Actor: "usr_a", Action: assay.AuditLogin, UserID: "usr_a", Subject: "log_1", Address: "192.0.2.1"},
		{Actor: "usr_b", Action: assay.AuditLogin, UserID: "usr_b"},
		{Actor: assay.ActorOperator, Action: assay.AuditUserDisable, UserID: "usr_a", Detail: "why"},
		{Actor: "usr_a", Action: assay.AuditCredit, UserID: "usr_b"},
	} {
		e.ID, e.At = assay.NewID(assay.PrefixAudit), kept.Add(time.Duration(i)*time.Hour)
		f.must(f.InsertAudit(f.ctx, e))
		want = append(want, e)
	}
	for name, c := range map[string]struct {
		q    identity.AuditQuery
		want []assay.AuditEvent
	}{
		"all":               {identity.AuditQuery{Limit: 9}, want},
		"the newest":        {identity.AuditQuery{Limit: 2}, want[2:]},
		"of a user":         {identity.AuditQuery{UserID: "usr_a", Limit: 9}, []assay.AuditEvent{want[0], want[2], want[3]}},
		"newest of a user":  {identity.AuditQuery{UserID: "usr_a", Limit: 2}, []assay.AuditEvent{want[2], want[3]}},
		"of an action":      {identity.AuditQuery{Action: assay.AuditLogin, Limit: 9}, want[:2]},
		"since":             {identity.AuditQuery{Since: kept.Add(2 * time.Hour), Limit: 9}, want[2:]},
		"all of it at once": {identity.AuditQuery{UserID: "usr_b", Action: assay.AuditCredit, Since: kept, Limit: 9}, want[3:]},
		"nothing":           {identity.AuditQuery{UserID: "usr_c", Limit: 9}, nil},
	} {
		got, err := f.Audit(f.ctx, c.q)
		f.must(err)
		if diff := cmp.Diff(c.want, got); diff != "" {
			f.Errorf("%s: %s", name, diff)
		}
	}
}

func testAuditOfFailures(f fixture) {
	u := f.user()
	told := assay.AuditEvent{At: at, Actor: u.ID, Action: assay.AuditKeyCreate, UserID: u.ID}
	f.code(f.InsertUser(f.ctx, u, told), assay.CodeConflict)
	f.must(f.InsertAPIKey(f.ctx, newKey(u.ID, 1), 1, untold))
	f.code(f.InsertAPIKey(f.ctx, newKey(u.ID, 2), 1, told), assay.CodeConflict)
	f.code(f.RevokeAPIKey(f.ctx, u.ID, "key_none", told), assay.CodeAPIKeyNotFound)
	if got := f.actions(u.ID); got != nil {
		f.Errorf("told: %v", got)
	}
}

func testAuditOfKeys(f fixture) {
	u := f.user()
	k := newKey(u.ID, 1)
	f.must(f.InsertAPIKey(f.ctx, k, 0, assay.AuditEvent{At: at, Actor: u.ID, Action: assay.AuditKeyCreate, UserID: u.ID, Subject: k.ID}))
	f.must(f.RevokeAPIKey(f.ctx, u.ID, k.ID, assay.AuditEvent{At: at, Actor: assay.ActorOperator, Action: assay.AuditKeyRevoke, UserID: u.ID, Subject: k.ID}))
	if diff := cmp.Diff([]assay.AuditAction{assay.AuditKeyCreate, assay.AuditKeyRevoke}, f.actions(u.ID)); diff != "" {
		f.Error(diff)
	}
}

func testUsers(f fixture) {
	var want []string
	for range 5 {
		want = append(want, f.user().ID)
	}
	var got []string
	for after := ""; ; after = got[len(got)-1] {
		page, err := f.Users(f.ctx, after, 2)
		f.must(err)
		for _, u := range page {
			got = append(got, u.ID)
		}
		if len(page) < 2 {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.Error(diff)
	}
}
