package e2e_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
	"assay/e2e/harness"
)

// The answers of the sample of dataset open, and nothing else of it.
const (
	openPatch  = "diff --git a/answer b/answer\nnew file mode 100644\n--- /dev/null\n+++ b/answer\n@@ -0,0 +1,1 @@\n+REFERENCE-FIX\n"
	openTest   = "EXPECTED-TEST"
	openSecret = "REFERENCE-FIX"
)

// openDataset imports a dataset whose sandboxes reach the host's network.
func openDataset(t *testing.T, p harness.Program) {
	t.Helper()
	manifest, err := os.ReadFile("testdata/dataset/dataset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("name: e2e", "name: open", "network: none", "network: full").Replace(string(manifest))
	row, err := json.Marshal(map[string]any{
		"instance_id": "one", "problem_statement": "p", "patch": openPatch, "FAIL_TO_PASS": []string{"check::" + openTest},
		"assay": map[string]any{"verifier": map[string]any{
			"command": `echo '<testsuite name="check"><testcase classname="check" name="` + openTest + `"/></testsuite>' > "$ASSAY_REPORTS/report.xml"`,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"dataset.yaml": []byte(text), "samples.jsonl": row} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runVerb(t, p, "dataset", "import", dir)
}

func runVerb(t *testing.T, p harness.Program, args ...string) string {
	t.Helper()
	out, err := p.Run(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// An agent whose sandbox has a network asks the server that judges it for the reference
// fix: without a key it gets none, and of a dataset for operators not with its user's
// key either. Its user gets what the dataset opens.
func TestASandboxAsksItsServerForTheAnswers(t *testing.T) {
	t.Parallel()
	p := ownProgram(t)
	clean(t, p)
	openDataset(t, p)
	srv := start(t, p)
	c := newCaller(t, p, srv)
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := c.ready(t, must[wire.SessionCreated](t, c.call(t, "POST", "/sessions", wire.SessionCreate{Dataset: "open", SampleID: "one", TTLMinutes: 10}), 201).SessionID)
	defer c.close(t, s)

	// ask is what a program of the sandbox gets for a path, with a header more.
	ask := func(path, header string) string {
		t.Helper()
		request := "GET " + wire.BasePath + path + ` HTTP/1.1\r\nHost: ` + base.Host + `\r\nConnection: close\r\n` + header + `\r\n`
		return c.output(t, s, fmt.Sprintf(`exec 3<>/dev/tcp/%s/%s; printf '%s' >&3; cat <&3 | base64 -w0`, base.Hostname(), base.Port(), request))
	}
	told := func(answer string) bool {
		t.Helper()
		text := decoded(t, answer)
		if !strings.HasPrefix(text, "HTTP/1.1 200") {
			t.Fatalf("the sandbox hears %.500s", text)
		}
		return strings.Contains(inflated(text), openSecret) || strings.Contains(inflated(text), openTest)
	}
	key := `Authorization: Bearer ` + c.key + `\r\n`
	for _, step := range []struct {
		answers          assay.Answers
		stranger, ofUser bool
	}{
		{assay.AnswersPublic, true, true}, // then it can be reached, and the rest proves something
		{assay.AnswersUsers, false, true},
		{assay.AnswersOperators, false, false},
	} {
		runVerb(t, p, "dataset", "set", "open", "--answers", string(step.answers))
		for _, query := range []string{"", "?dataset=open", "?search=one&page=1", "?page_size=100"} {
			if got := told(ask("/samples"+query, "")); got != step.stranger {
				t.Errorf("%s: a stranger is told by /samples%s: %v", step.answers, query, got)
			}
			if got := told(ask("/samples"+query, key)); got != step.ofUser {
				t.Errorf("%s: a user is told by /samples%s: %v", step.answers, query, got)
			}
		}
		if got := told(ask("/samples/open/one/download", key)); got != step.ofUser {
			t.Errorf("%s: a user is told by a download: %v", step.answers, got)
		}
		link := must[wire.Download](t, c.call(t, "GET", "/samples/open/one/download", nil, "Accept", "application/json"), 200)
		res, err := http.Get(link.DownloadURL)
		if err != nil {
			t.Fatal(err)
		}
		file, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != 200 || link.AnswersWithheld == step.ofUser || strings.Contains(inflated(string(file)), openSecret) != step.ofUser {
			t.Errorf("%s: the link of a user: %d, %+v, %v", step.answers, res.StatusCode, link, err)
		}
		if got := c.judge(t, s).Evidence; got.AnswersOpen != step.ofUser {
			t.Errorf("%s: the verdict says that answers are open: %v", step.answers, got.AnswersOpen)
		}
		if d := must[[]wire.Dataset](t, c.call(t, "GET", "/datasets", nil), 200); !hasAnswers(d, step.answers) {
			t.Errorf("%s: the datasets are %+v", step.answers, d)
		}
	}
	if refusal := decoded(t, ask("/samples", `Authorization: Bearer ask_nobody\r\n`)); !strings.HasPrefix(refusal, "HTTP/1.1 401") {
		t.Errorf("a bad key is answered with %.200s", refusal)
	}
	// The operator reads them all the same.
	if got := runVerb(t, p, "dataset", "show", "open", "one", "--patch"); got != openPatch {
		t.Errorf("the operator is shown %q", got)
	}
}

func hasAnswers(datasets []wire.Dataset, want assay.Answers) bool {
	for _, d := range datasets {
		if d.Name == "open" {
			return d.Answers == want
		}
	}
	return false
}

func decoded(t *testing.T, text string) string {
	t.Helper()
	out, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// inflated is a text with what is compressed in it, unpacked.
func inflated(text string) string {
	at := strings.Index(text, "\x1f\x8b")
	if at < 0 {
		return text
	}
	zr, err := gzip.NewReader(bytes.NewReader([]byte(text[at:])))
	if err != nil {
		return text
	}
	all, _ := io.ReadAll(zr) // as far as it goes
	return text + string(all)
}
