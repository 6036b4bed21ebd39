package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"assay"
	"assay/client"
	"assay/internal/app"
	"assay/internal/attest"
)

type sessionDiffCmd struct {
	serverFlags
	Session string `arg:"" help:"Id of the session."`
	Job     string `placeholder:"ID" help:"The patch that this verification judged, not what there is now."`
}

func (*sessionDiffCmd) Help() string {
	return `Prints what was changed in the work tree, as git apply takes it. Of a session that has ended, that is what its last
verification judged.

    assay session diff ses_... > fix.patch`
}

func (c *sessionDiffCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	if _, err := api.Diff(ctx, c.Session, c.Job, std.out); err != nil {
		return fmt.Errorf("get the diff of session %s: %w", c.Session, err)
	}
	return nil
}

type verdictGetCmd struct {
	serverFlags
	Session string `arg:"" help:"Id of the session."`
	Job     string `arg:"" help:"Id of the verification."`
}

func (*verdictGetCmd) Help() string {
	return `Prints the envelope: the verdict, what it rests on, and the server's signature.

    assay verdict get ses_... ver_... > verdict.json`
}

func (c *verdictGetCmd) Run(ctx context.Context, std stdio) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	envelope, err := api.SignedVerdict(ctx, c.Session, c.Job)
	if err != nil {
		return fmt.Errorf("get the verdict of verification %s: %w", c.Job, err)
	}
	_, err = std.out.Write(envelope)
	return err
}

type verdictCheckCmd struct {
	File   string `arg:"" help:"The envelope, as assay verdict get prints it; - is standard input."`
	Keys   string `placeholder:"FILE|URL" help:"Public keys of the server, a JWK Set (those that --server tells)."`
	Server string `env:"ASSAY_SERVER,CODESET_BASE_URL" default:"http://127.0.0.1:8080" placeholder:"URL" help:"URL of the server that is asked for its keys (http://127.0.0.1:8080)."`
	JSON   bool   `name:"json" help:"Print the statement as it was signed."`
}

func (*verdictCheckCmd) Help() string {
	return `Exits with status 0 only if the signature holds and nothing was changed, be it one byte; then it prints what was
signed. That the task is solved is another question: read what it prints. Without --keys the server is asked as well
whether its operator took the verdict back since: then the status is 1.

    curl -s https://assay.example.org/.well-known/assay-keys.json > keys.json
    assay verdict check verdict.json --keys keys.json`
}

// maxEnvelope bounds a file that is checked, in bytes.
const maxEnvelope = 256 << 20

func (c *verdictCheckCmd) Run(ctx context.Context, std stdio) error {
	text, err := readInput(c.File, maxEnvelope)
	if err != nil {
		return fmt.Errorf("read the verdict: %w", err)
	}
	keys, err := c.keys(ctx)
	if err != nil {
		return err
	}
	opened, err := attest.Open(text, assay.StatementType, keys)
	if err != nil {
		return fmt.Errorf("%s is not a verdict of this server: %w", c.File, err)
	}
	var s assay.Statement
	s.Verdict.Evidence.AnswersOpen = true // they were when verdicts did not say
	if err := json.Unmarshal(opened.Payload, &s); err != nil {
		return fmt.Errorf("%s is signed, but is no statement that this program knows: %w", c.File, err)
	}
	if c.JSON {
		_, err = fmt.Fprintf(std.out, "%s\n", opened.Payload)
	} else {
		err = showStatement(std.out, &s, opened.KeyID)
	}
	if err != nil || c.Keys != "" {
		return err
	}
	return c.standing(ctx, s.VerificationID)
}

// standing fails when the server that signed a verdict says that it was taken back since.
func (c *verdictCheckCmd) standing(ctx context.Context, verificationID string) error {
	api, err := c.api()
	if err != nil {
		return err
	}
	standing, err := api.Standing(ctx, verificationID)
	switch {
	case assay.CodeOf(err) == assay.CodeNotFound: // a server from before verdicts were withdrawn
		return nil
	case err != nil:
		return fmt.Errorf("the signature holds, but the server does not tell whether the verdict was withdrawn: %w", err)
	case standing.Withdrawn != nil:
		return fmt.Errorf("the signature holds, but the verdict was withdrawn %s: %s", when(standing.Withdrawn.At), standing.Withdrawn.Reason)
	}
	return nil
}

func (c *verdictCheckCmd) api() (*client.Client, error) {
	api, err := client.New(c.Server, "", client.WithUserAgent("assay/"+app.Version))
	if err != nil {
		return nil, usageError{err}
	}
	return api, nil
}

func (c *verdictCheckCmd) keys(ctx context.Context) (attest.KeySet, error) {
	var text []byte
	var err error
	switch {
	case c.Keys == "":
		var api *client.Client
		if api, err = c.api(); err != nil {
			return attest.KeySet{}, err
		}
		text, err = api.VerdictKeys(ctx)
	case strings.HasPrefix(c.Keys, "https://") || strings.HasPrefix(c.Keys, "http://"):
		text, err = fetch(ctx, c.Keys)
	default:
		text, err = readInput(c.Keys, 1<<20)
	}
	if err != nil {
		return attest.KeySet{}, fmt.Errorf("get the keys: %w", err)
	}
	return attest.ParseKeys(text)
}

// readInput reads a file, or standard input, of at most limit bytes.
func readInput(name string, limit int64) ([]byte, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return text, err
}

// fetch reads a small document of the web.
func fetch(ctx context.Context, url string) (text []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, 1<<20))
}

// openOrClosed says in words whether the answers of a sample were open to its user.
func openOrClosed(open bool) string {
	if open {
		return "open to the session's user over the API"
	}
	return "closed to the session's user"
}

func showStatement(w io.Writer, s *assay.Statement, keyID string) error {
	v := &s.Verdict
	verdict := "not solved"
	if v.Solved {
		verdict = "solved"
	}
	fmt.Fprintf(w, "%s: %s\n\n", verdict, plain(v.Reason))
	t := newTable(w, "verification", fmt.Sprintf("%s of session %s", s.VerificationID, s.SessionID))
	t.row("sample", fmt.Sprintf("%s/%s, version %d", s.Dataset, s.SampleID, s.SampleVersion))
	t.row("tests", fmt.Sprintf("%d passed, %d failed, %d skipped, %d missing; graded as %s by rules %s", v.Passed, v.Failed, v.Skipped, len(v.Missing), v.Grading, v.Evidence.Grader))
	if v.Evidence.Grader != assay.GraderVersion {
		t.row("rules", fmt.Sprintf("those of this program are %s; its operator can judge the work again (assay verdict rejudge)", assay.GraderVersion))
	}
	t.row("patch", dash(v.Evidence.PatchSHA256))
	t.row("image", dash(v.Evidence.ImageDigest))
	t.row("answers", openOrClosed(v.Evidence.AnswersOpen))
	if told := roundsInWords(&v.Evidence); told != "" {
		t.row("rounds", told)
	}
	if v.Evidence.CachedFrom != "" {
		t.row("repeats", v.Evidence.CachedFrom)
	}
	for _, tampering := range v.Tampering {
		t.row(labelOf(tampering.Kind), plain(strings.TrimSpace(fmt.Sprintf("%s: %s %s", tampering.Kind, tampering.Path, tampering.Detail))))
	}
	t.row("completed", when(s.CompletedAt))
	t.row("signed by", "key "+keyID)
	return t.flush()
}
