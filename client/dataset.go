package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"assay/client/wire"
)

// Health returns what the server says of itself, also when it is unhealthy. It is not
// tried again.
func (c *Client) Health(ctx context.Context) (*wire.Health, error) {
	return result[wire.Health](c, ctx, request{
		method: http.MethodGet, path: "/health",
		take: func(status int) bool { return status == http.StatusServiceUnavailable },
	})
}

// Datasets returns all datasets, by name.
func (c *Client) Datasets(ctx context.Context) ([]wire.Dataset, error) {
	list, err := result[[]wire.Dataset](c, ctx, get("/datasets"))
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// SampleQuery selects samples. Its zero value is all.
type SampleQuery struct {
	Dataset string
	Search  string // part of the id, ignoring case
}

func (q SampleQuery) values() url.Values {
	v := url.Values{}
	setQuery(v, "dataset", q.Dataset)
	setQuery(v, "search", q.Search)
	return v
}

// SamplePage returns a page, from 1, of size samples, at most 100.
func (c *Client) SamplePage(ctx context.Context, q SampleQuery, page, size int) (*wire.SampleList, error) {
	r := get("/samples")
	r.query = q.values()
	r.query.Set("page", strconv.Itoa(page))
	r.query.Set("page_size", strconv.Itoa(size))
	return result[wire.SampleList](c, ctx, r)
}

// Samples calls fn for each sample that q selects, as it arrives, and ends with the
// first error of fn.
func (c *Client) Samples(ctx context.Context, q SampleQuery, fn func(*wire.Sample) error) error {
	r := get("/samples")
	r.query = q.values()
	res, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	defer closeBody(res)
	dec := json.NewDecoder(res.Body)
	for depth := 0; ; {
		token, err := dec.Token()
		if err != nil {
			return fmt.Errorf("read samples: %w", err)
		}
		switch token {
		case json.Delim('{'):
			depth++
		case json.Delim('}'):
			return nil
		case "samples":
			if err := decodeEach(dec, fn); err != nil {
				return err
			}
		default:
			var skipped json.RawMessage
			if depth == 0 {
				return fmt.Errorf("read samples: the answer is no list of samples")
			}
			if err := dec.Decode(&skipped); err != nil {
				return fmt.Errorf("read samples: %w", err)
			}
		}
	}
}

// decodeEach calls fn for each element of the list that comes next.
func decodeEach(dec *json.Decoder, fn func(*wire.Sample) error) error {
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	for dec.More() {
		var s wire.Sample
		if err := dec.Decode(&s); err != nil {
			return fmt.Errorf("read samples: %w", err)
		}
		if err := fn(&s); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// Downloaded says what Download wrote.
type Downloaded struct {
	Filename string // a base name to save it as
	Size     int64  // bytes
	SHA256   string // in hex; checked if the server told it
}

// Download writes a packed sample, the latest version when version is 0, to w. When it
// fails w may hold a part.
func (c *Client) Download(ctx context.Context, dataset, sampleID string, version int, w io.Writer) (*Downloaded, error) {
	r := downloadRequest(dataset, sampleID, version)
	r.header = http.Header{"Accept": {"application/gzip"}}
	res, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	defer closeBody(res)
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), res.Body)
	if err != nil {
		return nil, fmt.Errorf("download sample %s: %w", sampleID, err)
	}
	got := hex.EncodeToString(hash.Sum(nil))
	want, told := strings.CutPrefix(strings.Trim(res.Header.Get("ETag"), `"`), "sha256:")
	if told && got != want {
		return nil, fmt.Errorf("download sample %s: its SHA-256 is %s, not %s", sampleID, got, want)
	}
	return &Downloaded{Filename: filenameOf(res.Header, sampleID), Size: n, SHA256: got}, nil
}

// filenameOf is never a path.
func filenameOf(h http.Header, sampleID string) string {
	_, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	name := filepath.Base(filepath.Clean("/" + params["filename"]))
	if err != nil || name == "/" {
		return filepath.Base(filepath.Clean("/"+sampleID)) + ".tar.gz"
	}
	return name
}

// DownloadLink returns where a packed sample can be fetched without a token, for a while.
func (c *Client) DownloadLink(ctx context.Context, dataset, sampleID string, version int) (*wire.Download, error) {
	return result[wire.Download](c, ctx, downloadRequest(dataset, sampleID, version))
}

func downloadRequest(dataset, sampleID string, version int) request {
	r := get(path("samples", dataset, sampleID, "download"))
	if version != 0 {
		r.query = url.Values{"version": {strconv.Itoa(version)}}
	}
	return r
}
