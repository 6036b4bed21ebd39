package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// caller speaks to a server as a foreign client does: plain HTTP, nothing assumed.
type caller struct {
	base string // with the path of the API
	key  string
	user string // id
}

// reply is an answer of a server.
type reply struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

// transport is shared, with room for many held requests. It follows no redirect.
var transport = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 128},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// newCaller makes a user.
func newCaller(t *testing.T, p harness.Program, s *harness.Server) caller {
	t.Helper()
	u, err := p.NewUser(t.Context(), fmt.Sprintf("User%d", world.users.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return caller{base: s.APIBase(), key: u.Key, user: u.UserID}
}

// sharedCaller makes a user of the shared server.
func sharedCaller(t *testing.T) caller {
	t.Helper()
	return newCaller(t, world.shared, world.server)
}

// at is the same user at another server.
func (c caller) at(s *harness.Server) caller {
	c.base = s.APIBase()
	return c
}

// try sends a request. Headers are names and values by turns. A body that is no
// string is sent as JSON.
func (c caller) try(ctx context.Context, method, path string, body any, headers ...string) (reply, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = bytes.NewReader([]byte(b))
	default:
		content, err := json.Marshal(b)
		if err != nil {
			return reply{}, err
		}
		r = bytes.NewReader(content)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, r)
	if err != nil {
		return reply{}, err
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	res, err := transport.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, content, time.Since(began)}, err
}

// call is try where an answer must come.
func (c caller) call(t *testing.T, method, path string, body any, headers ...string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	r, err := c.try(ctx, method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// code is the code of a refusal.
func (r reply) code() string {
	var e wire.ErrorBody
	if json.Unmarshal(r.body, &e) != nil {
		return ""
	}
	return e.Detail.Code
}

// must reads an answer that has to have a status.
func must[T any](t *testing.T, r reply, status int) T {
	t.Helper()
	var v T
	if r.status != status {
		t.Fatalf("status is %d, not %d: %.2000s", r.status, status, r.body)
	}
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("read the answer %.2000s: %v", r.body, err)
	}
	return v
}

// refused fails the test unless r is a refusal with a status and a code.
func refused(t *testing.T, r reply, status int, code assay.Code) {
	t.Helper()
	if r.status != status || r.code() != string(code) {
		t.Errorf("answer is %d %s, not %d %s: %.500s", r.status, r.code(), status, code, r.body)
	}
}

// create begins a session of a sample of dataset e2e, or of starter where it is that.
func (c caller) create(t *testing.T, sample string, headers ...string) string {
	t.Helper()
	return must[wire.SessionCreated](t, c.call(t, "POST", "/sessions", createOf(sample), headers...), 201).SessionID
}

func createOf(sample string) wire.SessionCreate {
	dataset := "e2e"
	if sample == semver {
		dataset = "starter"
	}
	return wire.SessionCreate{Dataset: dataset, SampleID: sample, TTLMinutes: 10}
}

// session waits until a session is no longer creating.
func (c caller) session(t *testing.T, id string) wire.Session {
	t.Helper()
	return must[wire.Session](t, c.call(t, "GET", "/sessions/"+id+"?wait=60", nil), 200)
}

// open makes a session that is ready, and closes it when the test is over. Only for
// the shared server.
func (c caller) open(t *testing.T, sample string) string {
	t.Helper()
	id := c.ready(t, c.create(t, sample))
	t.Cleanup(func() { c.close(t, id) })
	return id
}

// ready waits until a session is.
func (c caller) ready(t *testing.T, id string) string {
	t.Helper()
	if s := c.session(t, id); s.Status != assay.SessionReady {
		t.Fatalf("session is %s, not ready: %+v", s.Status, s.Error)
	}
	return id
}

func (c caller) close(t *testing.T, id string) wire.SessionClosed {
	t.Helper()
	return must[wire.SessionClosed](t, c.call(t, "DELETE", "/sessions/"+id, nil), 200)
}

// exec begins a command.
func (c caller) exec(t *testing.T, session, command string) string {
	t.Helper()
	r := c.call(t, "POST", "/sessions/"+session+"/exec", wire.ExecRequest{Command: command})
	return must[wire.ExecAccepted](t, r, 202).InteractionID
}

// end waits for the end of a command.
func (c caller) end(t *testing.T, session, id string) wire.Interaction {
	t.Helper()
	in := must[wire.Interaction](t, c.call(t, "GET", "/sessions/"+session+"/interactions/"+id+"?wait=60", nil), 200)
	if !in.Final() {
		t.Fatalf("command %s has not ended within a minute", id)
	}
	return in
}

// run runs a command to its end.
func (c caller) run(t *testing.T, session, command string) wire.Interaction {
	t.Helper()
	return c.end(t, session, c.exec(t, session, command))
}

// output runs a command that must succeed and returns its standard output.
func (c caller) output(t *testing.T, session, command string) string {
	t.Helper()
	in := c.run(t, session, command)
	if *in.ExitCode != 0 {
		t.Fatalf("%s: %s", command, show(in))
	}
	return *in.Stdout
}

// show says how a command ended.
func show(in wire.Interaction) string {
	content, err := json.Marshal(in)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.2000s", content)
}

// verify begins a verification.
func (c caller) verify(t *testing.T, session string) string {
	t.Helper()
	return must[wire.JobStarted](t, c.call(t, "POST", "/sessions/"+session+"/verify", nil), 202).JobID
}

// job waits for the end of a verification.
func (c caller) job(t *testing.T, session, id string) wire.Job {
	t.Helper()
	for range 3 {
		j := must[wire.Job](t, c.call(t, "GET", "/sessions/"+session+"/verify/"+id+"?wait=60", nil), 200)
		if j.Final() {
			return j
		}
	}
	t.Fatalf("verification %s has not ended within three minutes", id)
	return wire.Job{}
}

// judge verifies a session and returns the verdict, which there must be.
func (c caller) judge(t *testing.T, session string) wire.JobResult {
	t.Helper()
	j := c.job(t, session, c.verify(t, session))
	if j.Status != assay.VerificationCompleted || j.Result == nil || j.Error != nil {
		t.Fatalf("verification ended as %s (%+v), not with a verdict", j.Status, j.Error)
	}
	return *j.Result
}

// edit replaces a string in a file.
func (c caller) edit(t *testing.T, session, file, before, after string) wire.EditResult {
	t.Helper()
	r := c.call(t, "POST", "/sessions/"+session+"/str_replace", wire.ReplaceRequest{FilePath: file, StrToReplace: before, StrToInsert: after})
	return must[wire.EditResult](t, r, 200)
}
