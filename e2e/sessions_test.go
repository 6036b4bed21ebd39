package e2e_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"assay"
	"assay/client/wire"
)

// As many sessions as a user may have, at once: each has files of its own, and the
// list tells all of them, page by page.
func TestManySessions(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	const many = 20
	ids := make([]string, many)
	for i := range ids {
		ids[i] = c.create(t, "quick")
	}
	refused(t, c.call(t, "POST", "/sessions", createOf("quick")), 429, assay.CodeTooManySessions)
	for i, id := range ids {
		c.ready(t, id)
		c.exec(t, id, fmt.Sprintf("echo %d > number", i))
	}
	for i, id := range ids {
		if got := c.output(t, id, "until [ -s number ]; do sleep 0.01; done; cat number"); got != fmt.Sprintln(i) {
			t.Errorf("session %d reads %q", i, got)
		}
	}

	var listed []string
	for path := "/sessions?limit=7&dataset=e2e&status=ready"; ; {
		page := must[wire.SessionList](t, c.call(t, "GET", path, nil), 200)
		if page.TotalCount != many || page.HasMore != (page.NextCursor != nil) {
			t.Errorf("a page of %d, with more %t and cursor %v", page.TotalCount, page.HasMore, page.NextCursor)
		}
		for _, s := range page.Sessions {
			listed = append(listed, s.SessionID)
			if s.UserID != c.user || s.ContainerInfo == nil || s.ContainerInfo.Status != "running" {
				t.Errorf("the list tells %+v", s)
			}
		}
		if !page.HasMore {
			break
		}
		path = "/sessions?limit=7&dataset=e2e&status=ready&cursor=" + *page.NextCursor
	}
	slices.Reverse(listed)
	if !slices.Equal(listed, ids) {
		t.Errorf("the list tells %v, newest first, of %v", listed, ids)
	}

	var closing sync.WaitGroup
	for _, id := range ids {
		closing.Go(func() {
			if r, err := c.try(t.Context(), "DELETE", "/sessions/"+id, nil); err != nil || r.status != 200 {
				t.Errorf("close: %v %d %s", err, r.status, r.body)
			}
		})
	}
	closing.Wait()
	if err := nothingLeft(p); err != nil {
		t.Error(err)
	}
	if got := must[wire.SessionList](t, c.call(t, "GET", "/sessions?status=closed", nil), 200).TotalCount; got != many {
		t.Errorf("%d sessions are closed", got)
	}
}

// Everything about a session, through its life.
func TestSession(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	created := must[wire.SessionCreated](t, c.call(t, "POST", "/sessions", createOf("quick")), 201)
	id := created.SessionID
	s := c.session(t, id)
	switch {
	case s.SessionID != id, s.UserID != c.user, s.Dataset != "e2e", s.SampleID != "quick", s.SampleVersion != 1:
		t.Errorf("the session is of something else: %+v", s)
	case s.Status != assay.SessionReady, s.CreatedAt == nil, s.Error != nil, s.DurationSeconds == nil:
		t.Errorf("the session is not ready: %+v", s)
	case s.CreatedAt.Before(s.RequestedAt), !s.ExpiresAt.Equal(created.ExpiresAt), !s.ExpiresAt.After(*s.CreatedAt):
		t.Errorf("the times of the session are in disorder: %+v", s)
	}
	if i := s.ContainerInfo; i == nil || i.ContainerName != id || i.Status != "running" || i.Location == "" || i.ServiceURL != c.base+"/sessions/"+id {
		t.Errorf("container_info is %+v", i)
	}
	closed := c.close(t, id)
	after := c.session(t, id)
	if after.Status != assay.SessionClosed || *after.DurationSeconds != closed.DurationSeconds || closed.DurationSeconds <= 0 {
		t.Errorf("the closed session is %+v, after %v s", after, closed.DurationSeconds)
	}
	if after.ContainerInfo != nil && after.ContainerInfo.Status != "stopped" {
		t.Errorf("the sandbox of a closed session is %s", after.ContainerInfo.Status)
	}
	for body, status := range map[string]int{
		`{"dataset":"e2e","sample_id":"absent"}`: 404, `{"dataset":"absent","sample_id":"quick"}`: 404,
		`{"dataset":"e2e"}`: 422, `[]`: 422, ``: 422, `{`: 400, `{"dataset":1,"sample_id":null}`: 422,
	} {
		if r := c.call(t, "POST", "/sessions", body); r.status != status {
			t.Errorf("POST /sessions %s: %d, not %d: %s", body, r.status, status, r.body)
		}
	}
}
