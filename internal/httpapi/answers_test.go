package httpapi

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
	"assay/internal/dataset"
	"assay/internal/identity"
	"assay/internal/store"
)

// reading is a server whose users, tokens, datasets and bundles are real: a dataset for
// each setting, called by it, with two versions of a sample.
type reading struct {
	*auth
	datasets *dataset.Service
	ada, bob string // access tokens
	key      string // an API key
	late     time.Duration
}

// answersOf are the answers of a version of the sample: nothing else holds them.
func answersOf(version int) []string {
	var all []string
	for _, name := range []string{"REFERENCE", "ASSETS", "HIDDEN", "TestFixed", "TestKept", "TestBroken", "COMMAND", "CANARY"} {
		all = append(all, fmt.Sprintf("%s.%d", name, version))
	}
	return all
}

func newReading(t *testing.T) *reading {
	t.Helper()
	r := &reading{}
	st := must[*store.Store](t)(store.Open(t.Context(), filepath.Join(t.TempDir(), "datasets.db"), store.Options{}))
	t.Cleanup(func() { st.Close() })
	r.datasets = must[*dataset.Service](t)(dataset.New(dataset.Config{
		Store: st, BundleDir: t.TempDir(),
		ImageDigest: func(context.Context, string) (string, error) { return "sha256:1", nil },
		Worktree: func(context.Context, string, string) (io.ReadCloser, error) {
			var b bytes.Buffer
			return io.NopCloser(&b), tar.NewWriter(&b).Close()
		},
	}))
	r.auth = newAuth(t, func(c *Config) {
		c.Datasets = r.datasets
		c.Now = func() time.Time { return epoch.Add(r.late) }
	})
	for _, answers := range []assay.Answers{assay.AnswersPublic, assay.AnswersUsers, assay.AnswersOperators} {
		for version := 1; version <= 2; version++ {
			a := answersOf(version)
			s := &assay.Sample{
				Dataset: string(answers), ID: "one", ProblemStatement: "PROBLEM", Patch: a[0], NonCodePatch: a[1], TestPatch: a[2],
				FailToPass: a[3:4], PassToPass: a[4:5], FailToFail: a[5:6],
				Task: assay.Task{Image: "i", Verifier: assay.Verifier{Kind: assay.VerifierTestSuite, Command: a[6], Canaries: []assay.Canary{{Path: a[7]}}}},
			}
			if _, err := st.ImportDataset(t.Context(), &assay.Dataset{Name: string(answers), Answers: answers}, []*assay.Sample{s}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.ada, r.bob = r.logIn(t, r.octocat("ada")).AccessToken, r.logIn(t, r.octocat("bob")).AccessToken
	u := must[*assay.User](t)(r.users.CreateUser(t.Context(), identity.Operator, "key", "key@example.org"))
	var err error
	if r.key, _, err = r.users.CreateKey(t.Context(), identity.Operator, u.ID, identity.KeyRequest{}); err != nil {
		t.Fatal(err)
	}
	return r
}

// ask makes a request with headers as they are; "" is no token.
func (r *reading) ask(method, path, token string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, strings.TrimPrefix(path, "http://assay.test"), nil)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	rec := httptest.NewRecorder()
	r.api.Handler().ServeHTTP(rec, req)
	return rec
}

// revealed returns the versions of whose answers a text tells any.
func revealed(text string) (versions []int) {
	for version := 1; version <= 2; version++ {
		if slices.ContainsFunc(answersOf(version), func(a string) bool { return strings.Contains(text, a) }) {
			versions = append(versions, version)
		}
	}
	return versions
}

// unpacked is all that a tar.gz holds, or the text itself when it is none.
func unpacked(t *testing.T, body []byte) string {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return string(body)
	}
	var all strings.Builder
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(h.Name + "\n")
		if _, err := io.Copy(&all, tr); err != nil {
			t.Fatal(err)
		}
	}
}

// In whatever way the list is asked for, it tells answers to whom the dataset opens them
// and to nobody else, and always has the same shape.
func TestTheListTellsAnswersToWhomTheyAreOpen(t *testing.T) {
	r := newReading(t)
	headers := [][]string{
		nil, {"Accept: application/gzip"}, {"Accept: text/html, */*;q=0.1"}, {"Accept-Encoding: gzip"}, {"Range: bytes=0-"},
		{"If-None-Match: *"}, {"X-Forwarded-Authorization: Bearer " + r.ada}, {"Proxy-Authorization: Bearer " + r.ada},
		{"Cookie: access_token=" + r.ada + "; Authorization=Bearer " + r.ada}, {"X-Http-Method-Override: POST"},
	}
	open := map[string]map[string]bool{ // by caller and dataset
		"":    {"public": true},
		r.ada: {"public": true, "users": true},
		r.bob: {"public": true, "users": true},
		r.key: {"public": true, "users": true},
	}
	for _, query := range []string{
		"", "?dataset=public", "?dataset=users", "?dataset=operators", "?search=ONE", "?search=o&dataset=users", "?page=1", "?page_size=1&page=2",
		"?page_size=1&page=3", "?page=1&page_size=100&search=n", "?access_token=" + r.ada, "?Authorization=Bearer%20" + r.ada, "?version=1", "?answers=open",
	} {
		for token, wants := range open {
			for _, h := range headers {
				rec := r.ask("GET", wire.BasePath+"/samples"+query, token, h...)
				wantStatus(t, rec, 200)
				if rec.Header().Get("Vary") != "Authorization" || rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("Etag") != "" {
					t.Errorf("%s: %v", query, rec.Header())
				}
				list := decodeAs[wire.SampleList](t, rec)
				for _, s := range list.Samples {
					told := revealed(strings.Join(slices.Concat([]string{s.Patch, s.NonCodePatch, s.TestPatch}, s.FailToPass, s.PassToPass, s.FailToFail), "\n"))
					if want := wants[s.Dataset]; want != (len(told) == 1 && told[0] == 2) || !want && told != nil || s.AnswersWithheld == want {
						t.Errorf("%s of %s with token %.8q and %q: tells answers of versions %v, withheld %v", query, s.Dataset, token, h, told, s.AnswersWithheld)
					}
					if s.FailToPass == nil || s.PassToPass == nil || s.FailToFail == nil || s.ProblemStatement != "PROBLEM" {
						t.Errorf("%s of %s: %+v", query, s.Dataset, s)
					}
				}
				if len(list.Samples) == 0 {
					t.Errorf("%s lists nothing", query)
				}
			}
		}
	}
	for _, query := range []string{"?page=1&dataset=users", "?dataset=users"} {
		if rec := r.ask("HEAD", wire.BasePath+"/samples"+query, ""); rec.Code != 200 || rec.Header().Get("Vary") != "Authorization" || revealed(rec.Body.String()) != nil {
			t.Errorf("HEAD %s: %d %v %s", query, rec.Code, rec.Header(), rec.Body)
		}
	}
}

// A token that opens nothing is refused where none is needed, too: its owner must not
// take an answer to strangers for his own.
func TestABadTokenIsNotForgivenWhereNoneIsNeeded(t *testing.T) {
	r := newReading(t)
	in, other := r.logIn(t, r.octocat("eve")), r.logIn(t, r.octocat("mallory"))
	for name, token := range attacks(newForger(t, r.auth, in.AccessToken), in, other) {
		for _, query := range []string{"", "?page=1"} {
			rec := r.ask("GET", wire.BasePath+"/samples"+query, token)
			if rec.Code != 401 || rec.Header().Get("Www-Authenticate") != "Bearer" || rec.Header().Get("Vary") != "Authorization" || revealed(rec.Body.String()) != nil {
				t.Errorf("%s%s: %d %v %s", name, query, rec.Code, rec.Header(), rec.Body)
			}
		}
	}
	for name, headers := range map[string][]string{
		"another scheme":         {"Authorization: Basic " + r.ada},
		"no scheme":              {"Authorization: " + r.ada},
		"nothing":                {"Authorization: "},
		"a scheme alone":         {"Authorization: Bearer "},
		"two good ones":          {"Authorization: Bearer " + r.ada, "Authorization: Bearer " + r.bob},
		"a good one and nothing": {"Authorization: Bearer " + r.ada, "Authorization: "},
		"an unknown API key":     {"Authorization: Bearer ask_" + strings.Repeat("a", 43)},
	} {
		if rec := r.ask("GET", wire.BasePath+"/samples", "", headers...); rec.Code != 401 || revealed(rec.Body.String()) != nil {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
}

// A download has the answers of its version for whom they are open, another file for
// others, and a link is worth what its maker was shown.
func TestDownloadsAndLinksTellNoMoreThanTheirMakerMaySee(t *testing.T) {
	r := newReading(t)
	for _, answers := range []string{"public", "users", "operators"} {
		open := answers != "operators"
		for query, version := range map[string]int{"": 2, "?version=1": 1, "?version=2": 2} {
			path := wire.BasePath + "/samples/" + answers + "/one/download" + query
			for _, accept := range []string{"application/gzip", "*/*", "application/json", "", "text/html", "application/json;q=0.5, application/gzip;q=0.4"} {
				if rec := r.ask("GET", path, "", "Accept: "+accept); rec.Code != 401 || revealed(unpacked(t, rec.Body.Bytes())) != nil {
					t.Errorf("%s without a token: %d", path, rec.Code)
				}
			}
			file := r.ask("GET", path, r.ada, "Accept: application/gzip")
			wantStatus(t, file, 200)
			if told := revealed(unpacked(t, file.Body.Bytes())); open != slices.Equal(told, []int{version}) || !open && told != nil {
				t.Errorf("%s tells answers of versions %v", path, told)
			}
			if file.Header().Get("Vary") != "Authorization, Accept" || file.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", path, file.Header())
			}
			rec := r.ask("GET", path, r.bob, "Accept: application/json")
			wantStatus(t, rec, 200)
			d := decodeAs[wire.Download](t, rec)
			if d.AnswersWithheld == open || file.Header().Get("Etag") != `"sha256:`+d.SHA256+`"` {
				t.Errorf("%s: %+v, %v", path, d, file.Header())
			}
			for _, method := range []string{"GET", "HEAD"} {
				fetched := r.ask(method, d.DownloadURL, "")
				if wantStatus(t, fetched, 200); method == "GET" && !bytes.Equal(fetched.Body.Bytes(), file.Body.Bytes()) {
					t.Errorf("%s: the link serves another file", path)
				}
			}
		}
	}
}

func TestALinkIsNotMadeIntoMore(t *testing.T) {
	r := newReading(t)
	linkTo := func(answers string) *url.URL {
		rec := r.ask("GET", wire.BasePath+"/samples/"+answers+"/one/download", r.ada, "Accept: application/json")
		wantStatus(t, rec, 200)
		return must[*url.URL](t)(url.Parse(decodeAs[wire.Download](t, rec).DownloadURL))
	}
	closed, users := linkTo("operators"), linkTo("users")
	if closed.Query().Get("answers") != "withheld" || users.Query().Get("answers") != "open" {
		t.Fatalf("%s, %s", closed, users)
	}
	forged := func(u *url.URL, change func(path *string, q url.Values)) string {
		c, q := *u, u.Query()
		change(&c.Path, q)
		c.RawQuery = q.Encode()
		return c.String()
	}
	links := map[string]string{
		"open":         forged(closed, func(_ *string, q url.Values) { q.Set("answers", "open") }),
		"open, twice":  forged(closed, func(_ *string, q url.Values) { q["answers"] = []string{"withheld", "open"} }),
		"open, first":  forged(closed, func(_ *string, q url.Values) { q["answers"] = []string{"open", "withheld"} }),
		"no word":      forged(closed, func(_ *string, q url.Values) { q.Del("answers") }),
		"another word": forged(closed, func(_ *string, q url.Values) { q.Set("answers", "OPEN") }),
		"another's signature": forged(closed, func(_ *string, q url.Values) {
			q.Set("answers", "open")
			q.Set("signature", users.Query().Get("signature"))
		}),
		"an open one's dataset": forged(users, func(p *string, _ url.Values) { *p = strings.Replace(*p, "/users/", "/operators/", 1) }),
		"another version":       forged(closed, func(p *string, _ url.Values) { *p = strings.Replace(*p, "/2", "/1", 1) }),
		"a NUL in its words":    forged(closed, func(_ *string, q url.Values) { q.Set("answers", "open\x00") }),
	}
	for name, link := range links {
		for _, token := range []string{"", r.ada} {
			rec := r.ask("GET", link, token)
			if told := revealed(unpacked(t, rec.Body.Bytes())); told != nil || rec.Code == 200 && name != "open, twice" {
				t.Errorf("%s: %d, tells answers of %v", name, rec.Code, told)
			}
		}
	}
}

// A setting counts from the moment at which it is made, also for links and for what a
// caller has kept.
func TestClosedAnswersAreClosedAtOnce(t *testing.T) {
	r := newReading(t)
	path := wire.BasePath + "/samples/users/one/download"
	link := func() wire.Download {
		rec := r.ask("GET", path, r.ada, "Accept: application/json")
		wantStatus(t, rec, 200)
		return decodeAs[wire.Download](t, rec)
	}
	set := func(answers assay.Answers) {
		t.Helper()
		if _, err := r.datasets.SetAnswers(t.Context(), "users", answers); err != nil {
			t.Fatal(err)
		}
	}
	before := link()
	set(assay.AnswersOperators)
	wantError(t, r.ask("GET", before.DownloadURL, ""), 404, "not_found")
	wantError(t, r.ask("GET", before.DownloadURL, r.ada), 404, "not_found")
	etag := `If-None-Match: "sha256:` + before.SHA256 + `"`
	rec := r.ask("GET", path, r.ada, "Accept: application/gzip", etag)
	if rec.Code != 200 || rec.Header().Get("Etag") == `"sha256:`+before.SHA256+`"` || revealed(unpacked(t, rec.Body.Bytes())) != nil {
		t.Errorf("with the tag of the whole file: %d %v", rec.Code, rec.Header())
	}
	if rec := r.ask("GET", wire.BasePath+"/samples?dataset=users", r.ada); revealed(rec.Body.String()) != nil {
		t.Errorf("the list still tells: %s", rec.Body)
	}
	closed := link()
	set(assay.AnswersUsers)
	if rec := r.ask("GET", closed.DownloadURL, ""); rec.Code != 200 || revealed(unpacked(t, rec.Body.Bytes())) != nil {
		t.Errorf("a link that was made while they were closed: %d", rec.Code)
	}
	wantStatus(t, r.ask("GET", before.DownloadURL, ""), 200) // as good as when it was made
	set(assay.AnswersPublic)
	wantError(t, r.ask("GET", closed.DownloadURL, ""), 404, "not_found") // another file than was promised
	wantStatus(t, r.ask("GET", before.DownloadURL, ""), 200)
	r.late = linkLife
	wantError(t, r.ask("GET", before.DownloadURL, ""), 404, "not_found")
}

// What no route, page or log may tell to a stranger.
func TestNothingElseTellsAnswers(t *testing.T) {
	r := newReading(t)
	for _, path := range []string{
		"/datasets", "/health", "/billing/pricing", "/openapi.json", "/samples/users/one", "/samples/users/one/1", "/samples/users", "/samples/",
		"/downloads/users/one/1", "/downloads/users/one/1?answers=open&expires=9999999999&signature=x", "/sessions", "/docs", "//docs", "/.well-known/assay-keys.json",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
			for _, base := range []string{wire.BasePath, ""} {
				rec := r.ask(method, cmp.Or(base+path, "/"), "")
				if revealed(unpacked(t, rec.Body.Bytes())) != nil {
					t.Errorf("%s %s tells answers: %s", method, path, rec.Body)
				}
			}
		}
	}
	r.ask("GET", wire.BasePath+"/samples", r.ada)
	r.ask("GET", wire.BasePath+"/samples/users/one/download", r.ada)
	if revealed(r.log.String()) != nil {
		t.Error("the log tells answers")
	}
	datasets := decodeAs[[]wire.Dataset](t, r.ask("GET", wire.BasePath+"/datasets", ""))
	for _, d := range datasets {
		if string(d.Answers) != d.Name {
			t.Errorf("dataset %s says %q", d.Name, d.Answers)
		}
	}
}
