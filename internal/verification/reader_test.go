package verification_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"assay"
	"assay/internal/verification"
)

// fill sets everything that a value holds: texts say secret, numbers are 7777, lists have one
// element.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString("secret")
	case reflect.Int, reflect.Int64:
		v.SetInt(7777)
	case reflect.Float64:
		v.SetFloat(7777)
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("a verdict holds a " + v.Kind().String() + ", which is not filled")
	}
}

// told returns the paths in a document under which a secret stands.
func told(t *testing.T, v any) (paths []string) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, below := range v {
				walk(at+"."+name, below)
			}
		case []any:
			for _, below := range v {
				walk(at+"[]", below)
			}
		case string:
			if strings.Contains(v, "secret") {
				paths = append(paths, at)
			}
		case float64:
			if v == 7777 {
				paths = append(paths, at)
			}
		}
	}
	walk("", doc)
	slices.Sort(paths)
	return paths
}

// Of a verdict in which everything is told, a reader who is told the verdict gets what is
// named here, and not what verdicts gain one day.
func TestWhatAVerdictAloneTells(t *testing.T) {
	verdict := &assay.Verdict{}
	fill(reflect.ValueOf(verdict).Elem())
	if all := told(t, verdict); len(all) < 60 {
		t.Fatalf("only %d things are filled: %q", len(all), all) // then the rest proves nothing
	}
	v := &assay.Verification{ID: "ver_1", Status: assay.VerificationCompleted, Verdict: verdict}
	want := []string{
		".evidence.assurance", ".evidence.grader", ".evidence.image_digest", ".evidence.odds", ".evidence.odds_of_all", ".evidence.odds_with_retries",
		".evidence.patch_sha256", ".evidence.rounds", ".evidence.sample_version", ".grading", ".tool",
	}
	for _, solved := range []bool{true, false} {
		verdict.Solved, verdict.Evidence.NotRun = solved, false
		got := verification.ViewOf(v, assay.FeedbackVerdict)
		if paths := told(t, got.Verdict); !slices.Equal(paths, want) {
			t.Errorf("solved %v tells %q", solved, paths)
		}
		if !got.Withheld || got.Verdict.Solved != solved || got.Verdict.Reason == "" || got.Status != v.Status || got.ID != v.ID {
			t.Errorf("got %+v", got)
		}
	}
	verdict.Evidence.NotRun = true
	if got := verification.ViewOf(v, assay.FeedbackVerdict).Verdict; got.Reason != "secret" || !got.Evidence.NotRun {
		t.Errorf("of a work on which nothing was run, it is not told why: %+v", got)
	}
	if v.Withheld || len(told(t, v.Verdict)) < 60 {
		t.Error("the verification itself was changed")
	}
	for _, f := range []assay.Feedback{"", assay.FeedbackFull} {
		if verification.ViewOf(v, f) != v {
			t.Errorf("feedback %q withholds something", f)
		}
	}
}

func TestWhatAFailureTellsWithoutDetails(t *testing.T) {
	v := &assay.Verification{Status: assay.VerificationError, Failure: &assay.Failure{Code: assay.CodeSuiteNotRun, Message: "the last line was: secret"}}
	got := verification.ViewOf(v, assay.FeedbackVerdict)
	if got.Failure.Code != assay.CodeSuiteNotRun || strings.Contains(got.Failure.Message, "secret") || got.Failure.Message == "" {
		t.Errorf("got %+v", got.Failure)
	}
}

// Who reads how much is for the key and for the dataset to say, as of now, and whoever
// waited for the end is told no more.
func TestReaders(t *testing.T) {
	var (
		settled assay.Judging
		sick    error
		asked   []string
	)
	c := newCourt(t, func(cfg *verification.Config) {
		cfg.Judging = func(ctx context.Context, dataset string) (assay.Judging, error) {
			asked = append(asked, dataset)
			return settled, errors.Join(sick, ctx.Err())
		}
	})
	v := c.judgedBy(user, map[string]string{"a.txt": "fixed\n"})
	for _, tt := range []struct {
		key, dataset, want assay.Feedback
	}{
		{"", "", assay.FeedbackFull},
		{assay.FeedbackFull, assay.FeedbackFull, assay.FeedbackFull},
		{assay.FeedbackVerdict, assay.FeedbackFull, assay.FeedbackVerdict},
		{"", assay.FeedbackVerdict, assay.FeedbackVerdict},
		{assay.FeedbackFull, assay.FeedbackVerdict, assay.FeedbackVerdict},
	} {
		settled.Feedback = tt.dataset
		reader := verification.Reader{UserID: user, Feedback: tt.key}
		over, end := context.WithTimeout(t.Context(), time.Nanosecond)
		defer end()
		for name, get := range map[string]func() (*assay.Verification, error){
			"get":             func() (*assay.Verification, error) { return c.GetFor(t.Context(), reader, v.SessionID, v.ID) },
			"await":           func() (*assay.Verification, error) { return c.AwaitFor(t.Context(), reader, v.SessionID, v.ID) },
			"await, and over": func() (*assay.Verification, error) { return c.AwaitFor(over, reader, v.SessionID, v.ID) },
		} {
			got, err := get()
			if err != nil {
				t.Fatal(err)
			}
			if got.Withheld != (tt.want == assay.FeedbackVerdict) || got.Withheld != (len(got.Verdict.Passes) == 0) || !got.Verdict.Solved {
				t.Errorf("%s with a key of %q and a dataset of %q: %+v", name, tt.key, tt.dataset, got.Verdict)
			}
		}
		envelope, err := c.EnvelopeFor(t.Context(), reader, v.SessionID, v.ID)
		if tt.want == assay.FeedbackVerdict {
			if assay.CodeOf(err) != assay.CodeDetailsWithheld || envelope != nil {
				t.Errorf("the envelope with a key of %q and a dataset of %q: %s, %v", tt.key, tt.dataset, envelope, err)
			}
		} else if err != nil || len(envelope) == 0 {
			t.Errorf("the envelope with a key of %q and a dataset of %q: %v", tt.key, tt.dataset, err)
		}
		p, err := c.Diff(t.Context(), user, v.SessionID, v.ID) // is the reader's own
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
	}
	if len(asked) == 0 || asked[0] != v.Dataset {
		t.Errorf("the settings of %q were asked for", asked)
	}
	stranger := verification.Reader{UserID: "usr_bob", Feedback: assay.FeedbackVerdict}
	if _, err := c.GetFor(t.Context(), stranger, v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeJobNotFound {
		t.Errorf("a stranger got %v", err)
	}
	if _, err := c.EnvelopeFor(t.Context(), stranger, v.SessionID, v.ID); assay.CodeOf(err) != assay.CodeJobNotFound {
		t.Errorf("a stranger got the envelope, or %v", err)
	}

	// When it cannot be found out what may be told, nothing is.
	sick = errors.New("the database is away")
	if got, err := c.GetFor(t.Context(), verification.Reader{UserID: user}, v.SessionID, v.ID); err == nil {
		t.Errorf("got %+v", got)
	}
	if _, err := c.EnvelopeFor(t.Context(), verification.Reader{UserID: user}, v.SessionID, v.ID); err == nil {
		t.Error("got the envelope")
	}
}
