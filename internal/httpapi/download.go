package httpapi

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"assay"
	"assay/client/wire"
	"assay/internal/dataset"
)

// linkLife is how long a download link works.
const linkLife = 15 * time.Minute

func (a *API) registerDownload() {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.Download](), true, "")
	handle(a, huma.Operation{
		OperationID: "download-sample", Method: http.MethodGet, Path: "/samples/{dataset}/{sample_id}/download", Tags: []string{tagDatasets},
		Summary: "Download a sample",
		Description: "The sample as a tar.gz with sample.json, the work tree at base_commit and the verifier; the same sample gives the same bytes. " +
			"Where the dataset does not open its answers to the caller (its `answers`), the file is without them and without the verifier, and sample.json says so. " +
			"To `Accept: application/json` the answer is where it can be fetched without a token, for 15 minutes.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The file, or where it is",
			Content:     map[string]*huma.MediaType{"application/gzip": fileMedia, "application/json": {Schema: schema}},
		}, "304": notModified},
	}, []int{404, 409}, a.download)
	handle(a, huma.Operation{
		OperationID: "fetch-download", Method: http.MethodGet, Path: "/downloads/{dataset}/{sample_id}/{version}", Tags: []string{tagDatasets}, Security: public,
		Summary:     "Fetch a download link",
		Description: "Serves the file of a download_url, with the answers if who asked for the link might see them and users still may. A link that was changed or has expired is 404.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The file",
			Content:     map[string]*huma.MediaType{"application/gzip": fileMedia},
		}, "304": notModified},
	}, []int{404, 409}, a.fetchLink)
}

var (
	fileMedia   = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	notModified = &huma.Response{Description: "The file is that of If-None-Match"}
)

// SamplePath is the part of a path that names a sample.
type SamplePath struct {
	Dataset  string `path:"dataset" example:"starter" doc:"Name of the dataset"`
	SampleID string `path:"sample_id" example:"gorilla__mux-578" doc:"Sample of the dataset"`
}

type downloadInput struct {
	SamplePath
	Version int    `query:"version" minimum:"1" maximum:"1000000000" doc:"Version of the sample; the latest when not given"`
	Accept  string `header:"Accept" hidden:"true"`
}

func (a *API) download(ctx context.Context, in *downloadInput) (*huma.StreamResponse, error) {
	sample, err := a.cfg.Datasets.SampleFor(ctx, callOf(ctx).reader(), in.Dataset, in.SampleID, in.Version)
	if err != nil {
		return nil, err
	}
	bundle, err := a.cfg.Datasets.Bundle(ctx, sample)
	if err != nil {
		return nil, err
	}
	if !prefersJSON(in.Accept) {
		return a.serveBundle(bundle, varyOfDownload), nil
	}
	defer bundle.Close()
	expires := at(a.cfg.Now().Add(linkLife)).Truncate(time.Second)
	d := wire.Download{
		Dataset: sample.Dataset, SampleID: sample.ID, Version: sample.Version,
		Filename: bundle.Filename, SizeBytes: bundle.Size, SHA256: bundle.SHA256,
		DownloadURL: a.link(sample, expires), ExpiresAt: expires,
		AnswersWithheld: sample.Withheld,
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Vary", varyOfDownload)
		writeJSON(w, http.StatusOK, d)
	}}, nil
}

// varyOfDownload is what a download depends on beside its URL.
const varyOfDownload = "Authorization, Accept"

// serveBundle serves a bundle, unless the client has it, and closes it. The tag is that of
// what this caller gets: who has the tag of another bundle learns nothing by it.
func (a *API) serveBundle(b *dataset.Bundle, vary string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer b.Close()
		r, w := humago.Unwrap(hc)
		h, etag := w.Header(), `"sha256:`+b.SHA256+`"`
		h.Set("ETag", etag)
		if vary != "" {
			h.Set("Vary", vary)
		}
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "application/gzip")
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", b.Filename))
		h.Set("Content-Length", strconv.FormatInt(b.Size, 10))
		w.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return
		}
		if _, err := io.CopyN(w, b, b.Size); err != nil {
			if r.Context().Err() == nil {
				a.logFault(r.Context(), fmt.Errorf("send bundle %s: %w", b.Filename, err))
			}
			panic(http.ErrAbortHandler)
		}
	}}
}

// prefersJSON tells whether an Accept header rather wants to know where the file is than
// the file itself.
func prefersJSON(accept string) bool {
	q := map[string]float64{}
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		weight := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			weight, _ = strconv.ParseFloat(v, 64)
		}
		q[strings.ToLower(strings.TrimSpace(name))] = weight
	}
	json := q["application/json"]
	if file, named := q["application/gzip"]; named {
		return json > file
	}
	return json > 0 && json >= max(q["*/*"], q["application/*"], q["application/octet-stream"])
}

// The answers of a link's query: whether it serves a sample with its answers.
const (
	linkOpen     = "open"
	linkWithheld = "withheld"
)

func linkAnswers(s *assay.Sample) string {
	if s.Withheld {
		return linkWithheld
	}
	return linkOpen
}

// link is a URL that serves the sample to whoever has it, until expires: as much of it
// as its maker was shown.
func (a *API) link(s *assay.Sample, expires time.Time) string {
	version, answers := strconv.Itoa(s.Version), linkAnswers(s)
	query := url.Values{
		"answers":   {answers},
		"expires":   {strconv.FormatInt(expires.Unix(), 10)},
		"signature": {a.sign(s.Dataset, s.ID, version, answers, expires.Unix())},
	}
	return a.cfg.BaseURL + wire.BasePath + "/downloads/" + url.PathEscape(s.Dataset) + "/" + url.PathEscape(s.ID) + "/" + version + "?" + query.Encode()
}

// sign is the signature of a link: an HMAC over what it serves and until when. No part
// can hold the NUL that parts them.
func (a *API) sign(dataset, sampleID, version, answers string, expires int64) string {
	mac := hmac.New(sha256.New, a.cfg.URLKey)
	fmt.Fprintf(mac, "download\x00%s\x00%s\x00%s\x00%s\x00%d", dataset, sampleID, version, answers, expires)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

type linkInput struct {
	SamplePath
	Version   int    `path:"version" minimum:"1" maximum:"1000000000" example:"1" doc:"Version of the sample"`
	Answers   string `query:"answers" required:"true" enum:"open,withheld" doc:"Whether the file has the answers"`
	Expires   int64  `query:"expires" required:"true" minimum:"0" maximum:"253402300799" doc:"When the link ends, in seconds since 1970"`
	Signature string `query:"signature" required:"true" minLength:"1" maxLength:"100" doc:"Of the server"`
}

func (a *API) fetchLink(ctx context.Context, in *linkInput) (*huma.StreamResponse, error) {
	want := a.sign(in.Dataset, in.SampleID, strconv.Itoa(in.Version), in.Answers, in.Expires)
	if !hmac.Equal([]byte(want), []byte(in.Signature)) || a.cfg.Now().Unix() >= in.Expires {
		return nil, assay.Errorf(assay.CodeNotFound, "this link was changed or has expired; ask for a new one")
	}
	reader := dataset.Anybody
	if in.Answers == linkOpen {
		reader = dataset.User // its maker was one
	}
	sample, err := a.cfg.Datasets.SampleFor(ctx, reader, in.Dataset, in.SampleID, in.Version)
	if err != nil {
		return nil, err
	}
	if linkAnswers(sample) != in.Answers {
		return nil, assay.Errorf(assay.CodeNotFound, "who may see the answers of dataset %s was changed since this link was made; ask for a new one", in.Dataset)
	}
	bundle, err := a.cfg.Datasets.Bundle(ctx, sample)
	if err != nil {
		return nil, err
	}
	return a.serveBundle(bundle, ""), nil
}
