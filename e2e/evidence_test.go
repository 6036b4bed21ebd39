package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// file writes a file of the test.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keysOf fetches the public keys of a server.
func keysOf(t *testing.T, s *harness.Server) []byte {
	t.Helper()
	res, err := http.Get(s.URL + wire.KeysPath)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("the keys are %d %s, %v", res.StatusCode, content, err)
	}
	return content
}

// fixed is a session in which the sample's bug is fixed.
func (c caller) fixed(t *testing.T, sample string) (session string) {
	t.Helper()
	s := c.open(t, sample)
	patch := starterSample(t, sample).Patch
	if got := must[wire.EditResult](t, c.call(t, "POST", "/sessions/"+s+"/apply", wire.ApplyRequest{Diff: patch}), 200); !got.Success {
		t.Fatalf("apply the reference patch: %s", got.Message)
	}
	return s
}

// A verdict on a real bug names the patch that was judged, which can be had and makes of a
// fresh work tree the one that was judged; and it is signed, which anybody can check
// without the server.
func TestVerdictCanBeProven(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	s := c.fixed(t, semver)
	c.output(t, s, `rm LICENSE.txt; ln -s version.go link; head -c 3000 /dev/urandom > 'a blob'; chmod +x README.md; mkdir -p empty; git commit -qam work || true`)
	id := c.verify(t, s)
	verdict := c.job(t, s, id).Result
	if verdict == nil || !verdict.IsSuccess {
		t.Fatalf("not solved: %+v", verdict)
	}
	diff := c.call(t, "GET", "/sessions/"+s+"/diff?job_id="+id, nil)
	sum := sha256.Sum256(diff.body)
	if e := verdict.Evidence; diff.status != 200 || e.PatchSHA256 != hex.EncodeToString(sum[:]) || e.Grader != assay.GraderVersion || !strings.HasPrefix(e.ImageDigest, "sha256:") || e.SampleVersion < 1 {
		t.Errorf("the evidence %+v is of another patch than\n%s", e, diff.body)
	}
	if live := c.call(t, "GET", "/sessions/"+s+"/diff", nil); !bytes.Equal(live.body, diff.body) {
		t.Errorf("the session's diff is %d\n%s", live.status, live.body)
	}
	// What the patch makes of a fresh tree is the same work, to git and to us.
	other := c.open(t, semver)
	if got := must[wire.EditResult](t, c.call(t, "POST", "/sessions/"+other+"/apply", wire.ApplyRequest{Diff: string(diff.body)}), 200); !got.Success {
		t.Fatalf("the patch does not apply: %s", got.Message)
	}
	if again := c.call(t, "GET", "/sessions/"+other+"/diff", nil); !bytes.Equal(again.body, diff.body) {
		t.Errorf("applied to a fresh tree, the patch makes another one:\n%s\nof\n%s", again.body, diff.body)
	}
	c.close(t, s)
	if ended := c.call(t, "GET", "/sessions/"+s+"/diff", nil); !bytes.Equal(ended.body, diff.body) {
		t.Errorf("after its end the session's diff is %d\n%s", ended.status, ended.body)
	}

	envelope := c.call(t, "GET", "/sessions/"+s+"/verify/"+id+"/verdict", nil)
	keys := file(t, "keys.json", keysOf(t, world.server))
	out, err := world.shared.Run(t.Context(), "verdict", "check", file(t, "verdict.json", envelope.body), "--keys", keys)
	if err != nil || !strings.HasPrefix(string(out), "solved: ") || !strings.Contains(string(out), id) || !strings.Contains(string(out), verdict.Evidence.PatchSHA256) {
		t.Errorf("checked: %v\n%s", err, out)
	}
	out, err = world.shared.Run(t.Context(), "verdict", "check", file(t, "verdict.json", envelope.body), "--server", world.server.URL)
	if err != nil {
		t.Errorf("checked with the server's keys: %v\n%s", err, out)
	}
	for _, at := range []int{0, len(envelope.body) / 3, len(envelope.body) / 2, len(envelope.body) - 1} {
		touched := bytes.Clone(envelope.body)
		touched[at] ^= 1
		if out, err := world.shared.Run(t.Context(), "verdict", "check", file(t, "verdict.json", touched), "--keys", keys); err == nil {
			t.Errorf("byte %d was changed, and it checks:\n%s", at, out)
		}
	}
	refused(t, sharedCaller(t).call(t, "GET", "/sessions/"+s+"/verify/"+id+"/verdict", nil), 404, assay.CodeJobNotFound)
}

// With the cache, the same work has the same verdict at once, which says so; and what was
// signed before a rotation of the keys still checks.
func TestSameWorkHasTheSameVerdict(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	srv := start(t, p, "--verdict-cache")
	c, other := newCaller(t, p, srv), newCaller(t, p, srv)
	work := func(c caller) (session, id string, verdict *wire.JobResult) {
		s := c.open(t, "quick")
		c.output(t, s, "echo yes > answer; echo 1 > pause")
		id = c.verify(t, s)
		return s, id, c.job(t, s, id).Result
	}
	session, first, judged := work(c)
	envelope := c.call(t, "GET", "/sessions/"+session+"/verify/"+first+"/verdict", nil)
	if judged == nil || !judged.IsSuccess || judged.Evidence.CachedFrom != "" {
		t.Fatalf("the first verdict is %+v", judged)
	}
	digest := sha256.Sum256([]byte(first))
	for from, user := range map[string]caller{first: c, "sha256:" + hex.EncodeToString(digest[:]): other} {
		_, id, again := work(user)
		if again == nil || !again.IsSuccess || again.Evidence.CachedFrom != from || again.Evidence.PatchSHA256 != judged.Evidence.PatchSHA256 || id == first {
			t.Errorf("the same work has the verdict %+v", again)
		}
	}
	if out, err := p.Run(t.Context(), "keys", "rotate", "--verdicts"); err != nil {
		t.Fatalf("rotate: %v\n%s", err, out)
	}
	content := keysOf(t, srv)
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(content, &set); err != nil || len(set.Keys) != 2 {
		t.Errorf("after a rotation there are the keys %s", content)
	}
	if out, err := p.Run(t.Context(), "verdict", "check", file(t, "verdict.json", envelope.body), "--keys", file(t, "keys.json", content)); err != nil {
		t.Errorf("after a rotation: %v\n%s", err, out)
	}
}
