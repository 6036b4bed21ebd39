package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"assay"
	"assay/client/wire"
	"assay/internal/dataset"
)

// defaultPageSize is the size of a page of samples when only its number is given.
const defaultPageSize = 100

type datasetsAnswer struct {
	Body []wire.Dataset `nullable:"false"`
}

func (a *API) registerDatasets() {
	handle(a, huma.Operation{
		OperationID: "list-datasets", Method: http.MethodGet, Path: "/datasets", Tags: []string{tagDatasets}, Security: public,
		Summary:     "List datasets",
		Description: "All datasets of this server, by name.",
	}, nil, func(ctx context.Context, _ *struct{}) (*datasetsAnswer, error) {
		datasets, err := a.cfg.Datasets.Datasets(ctx)
		if err != nil {
			return nil, err
		}
		list := make([]wire.Dataset, len(datasets))
		for i, d := range datasets {
			list[i] = wireDataset(d)
		}
		return &datasetsAnswer{list}, nil
	})
}

func (a *API) registerSamples() {
	handle(a, huma.Operation{
		OperationID: "list-samples", Method: http.MethodGet, Path: "/samples", Tags: []string{tagDatasets}, Security: optional,
		Summary: "List samples",
		Description: "The latest version of each sample, by dataset and id. With page or page_size a page of them (page 1, 100 a page, when only the other is given); without either all of them, streamed. " +
			"A token is not needed; where one is sent it must be good. The reference fix and the lists of tests are empty for a caller to whom the dataset does not open them (its `answers`).",
		Responses: a.jsonResponse(http.StatusOK, reflect.TypeFor[wire.SampleList]()),
	}, []int{404}, a.listSamples)
}

// jsonResponse documents the answer of an operation that writes its body itself.
func (a *API) jsonResponse(status int, body reflect.Type) map[string]*huma.Response {
	return map[string]*huma.Response{fmt.Sprint(status): {
		Description: http.StatusText(status),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(body, true, "")}},
	}}
}

type listSamplesInput struct {
	Dataset  string `query:"dataset" maxLength:"255" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" example:"starter" doc:"Only samples of this dataset"`
	Search   string `query:"search" maxLength:"255" pattern:"^[^\\x00]*$" patternDescription:"free of NUL characters" doc:"Part of instance_id, ignoring case"`
	Page     int    `query:"page" minimum:"1" maximum:"1000000000" doc:"Page, from 1"`
	PageSize int    `query:"page_size" minimum:"1" maximum:"100" doc:"Samples a page"`
}

func (a *API) listSamples(ctx context.Context, in *listSamplesInput) (*huma.StreamResponse, error) {
	q := dataset.Query{Dataset: in.Dataset, Search: in.Search}
	if in.Page == 0 && in.PageSize == 0 {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			a.streamSamples(ctx, w, q)
		}}, nil
	}
	page, err := a.samplePage(ctx, q, max(in.Page, 1), in.PageSize)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		writeJSON(w, http.StatusOK, page)
	}}, nil
}

func (a *API) samplePage(ctx context.Context, q dataset.Query, page, size int) (*wire.SampleList, error) {
	if size == 0 {
		size = defaultPageSize
	}
	total, err := a.cfg.Datasets.CountSamples(ctx, q)
	if err != nil {
		return nil, err
	}
	q.Limit, q.Offset = size, (page-1)*size
	list := &wire.SampleList{Samples: []wire.Sample{}, TotalCount: total, Page: page, PageSize: size}
	err = a.cfg.Datasets.SamplesFor(ctx, callOf(ctx).reader(), q, func(s *assay.Sample) error {
		list.Samples = append(list.Samples, wireSample(s))
		return nil
	})
	list.HasMore = q.Offset+len(list.Samples) < total && len(list.Samples) > 0
	return list, err
}

// streamSamples writes all samples that q selects as one SampleList, whose totals come
// last, so that no more than one sample is in memory. When it fails half-way the
// connection breaks: half a list must not look like one.
func (a *API) streamSamples(ctx context.Context, w http.ResponseWriter, q dataset.Query) {
	out := bufio.NewWriterSize(w, 64<<10)
	count := 0
	begin := func() error {
		if count++; count > 1 {
			return out.WriteByte(',')
		}
		w.Header()["Content-Type"] = contentTypeJSON
		_, err := io.WriteString(out, `{"samples":[`)
		return err
	}
	err := a.cfg.Datasets.SamplesFor(ctx, callOf(ctx).reader(), q, func(s *assay.Sample) error {
		if err := begin(); err != nil {
			return err
		}
		return encode(out, wireSample(s))
	})
	if err != nil {
		if callOf(ctx).status == 0 {
			a.refuse(ctx, err).write(w)
			return
		}
		if ctx.Err() == nil {
			a.logFault(ctx, fmt.Errorf("stream samples: %w", err))
		}
		panic(http.ErrAbortHandler)
	}
	if count == 0 {
		writeJSON(w, http.StatusOK, wire.SampleList{Samples: []wire.Sample{}, Page: 1})
		return
	}
	fmt.Fprintf(out, `],"total_count":%d,"page":1,"page_size":%d,"has_more":false}`+"\n", count, count)
	if err := out.Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
}
