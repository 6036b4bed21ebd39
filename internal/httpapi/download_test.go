package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/client/wire"
)

func TestDownloadIsAFileOrALink(t *testing.T) {
	s := newServer(t)
	const path = "/samples/starter/mux-1/download"
	for _, accept := range []string{"", "*/*", "application/gzip", "application/gzip, application/json", "*/*, application/json;q=0.1", "text/html,*/*;q=0.8"} {
		rec := s.do(t, request{method: "GET", path: path, headers: []string{"Accept: " + accept}})
		wantStatus(t, rec, 200)
		h := rec.Header()
		if h.Get("Content-Type") != "application/gzip" || h.Get("Content-Length") != "15" || h.Get("ETag") != `"sha256:abc123"` ||
			h.Get("Content-Disposition") != `attachment; filename="mux-1.tar.gz"` || rec.Body.String() != "bundle of mux-1" {
			t.Errorf("Accept %q: %v %s", accept, h, rec.Body)
		}
	}
	for _, accept := range []string{"application/json", "application/json, */*", "application/json, text/plain;q=0.5", "application/gzip;q=0.5, application/json"} {
		rec := s.do(t, request{method: "GET", path: path + "?version=2", headers: []string{"Accept: " + accept}})
		wantStatus(t, rec, 200)
		d := decodeAs[wire.Download](t, rec)
		if d.Dataset != "starter" || d.SampleID != "mux-1" || d.Version != 2 || d.Filename != "mux-1.tar.gz" || d.SizeBytes != 15 || d.SHA256 != "abc123" {
			t.Errorf("Accept %q: %+v", accept, d)
		}
	}
	wantError(t, s.do(t, request{method: "GET", path: path + "?version=3"}), 404, "sample_not_found")
	rec := s.do(t, request{method: "GET", path: path, headers: []string{`If-None-Match: "sha256:abc123"`}})
	wantStatus(t, rec, 304)
	rec = s.do(t, request{method: "HEAD", path: path})
	if wantStatus(t, rec, 200); rec.Body.Len() != 0 || rec.Header().Get("Content-Length") != "15" {
		t.Errorf("HEAD: %v %s", rec.Header(), rec.Body)
	}
	s.samples[0].Repo = "imageless"
	wantError(t, s.do(t, request{method: "GET", path: path}), 409, "image_unavailable")
}

func TestLinksWorkForAWhileAndUnchanged(t *testing.T) {
	now := epoch
	s := newServer(t, func(c *Config) { c.Now = func() time.Time { return now } })
	s.samples = append(s.samples, &assay.Sample{Dataset: "starter", ID: "odd/id %", Version: 1})
	fetch := func(link string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		s.api.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, strings.TrimPrefix(link, "http://assay.test"), nil))
		return rec
	}
	for _, id := range []string{"mux-1", "odd/id %"} {
		now = epoch
		rec := s.do(t, request{method: "GET", path: "/samples/starter/" + url.PathEscape(id) + "/download", headers: []string{"Accept: application/json"}})
		wantStatus(t, rec, 200)
		d := decodeAs[wire.Download](t, rec)
		rec = fetch(d.DownloadURL)
		if wantStatus(t, rec, 200); rec.Body.String() != "bundle of "+id {
			t.Errorf("fetched %q", rec.Body)
		}
		for _, changed := range []string{
			strings.Replace(d.DownloadURL, "expires=", "expires=9", 1),
			strings.Replace(d.DownloadURL, "signature=", "signature=A", 1),
			strings.Replace(d.DownloadURL, "/starter/", "/other/", 1),
			strings.Replace(d.DownloadURL, url.PathEscape(id)+"/", url.PathEscape(id)+"/9", 1),
		} {
			wantError(t, fetch(changed), 404, "not_found")
		}
		now = d.ExpiresAt
		wantError(t, fetch(d.DownloadURL), 404, "not_found")
	}
	if strings.Contains(s.log.String(), "signature") {
		t.Error("the log tells a signature")
	}
}
