package e2e_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"assay"
	"assay/client/wire"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	c := sharedCaller(t)
	const path = "/samples/e2e/quick/download"
	file := c.call(t, "GET", path, nil, "Accept", "application/gzip")
	if file.status != 200 || file.header.Get("Content-Type") != "application/gzip" {
		t.Fatalf("download: %d %s", file.status, file.header)
	}
	names := bundleNames(t, file.body)
	for _, want := range []string{"sample.json", "verifier/run.sh", "version.go", ".git/HEAD"} {
		if !strings.Contains(names, want) {
			t.Errorf("the bundle holds no %s", want)
		}
	}
	again := c.call(t, "GET", path, nil, "Accept", "*/*")
	if !bytes.Equal(file.body, again.body) {
		t.Error("two downloads differ")
	}

	where := must[wire.Download](t, c.call(t, "GET", path, nil, "Accept", "application/json"), 200)
	sum := sha256.Sum256(file.body)
	if where.SHA256 != hex.EncodeToString(sum[:]) || where.SizeBytes != int64(len(file.body)) {
		t.Errorf("the link is to %d bytes with sum %s", where.SizeBytes, where.SHA256)
	}
	for url, want := range map[string]int{where.DownloadURL: 200, strings.Replace(where.DownloadURL, "quick", "stale", 1): 404, where.DownloadURL + "x": 404} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want || want == 200 && !bytes.Equal(body, file.body) {
			t.Errorf("GET %s: %d with %d bytes, %v; want %d", url, res.StatusCode, len(body), err, want)
		}
	}
	refused(t, c.call(t, "GET", path+"?version=2", nil), 404, assay.CodeSampleNotFound)
	refused(t, c.call(t, "GET", "/samples/e2e/no-image/download", nil), 409, assay.CodeImageUnavailable)
}

// bundleNames lists what a bundle holds, a name a line.
func bundleNames(t *testing.T, bundle []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(bundle))
	if err != nil {
		t.Fatal(err)
	}
	var names strings.Builder
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		names.WriteString(h.Name + "\n")
	}
}
