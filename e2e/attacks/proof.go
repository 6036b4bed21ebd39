package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"assay"
	"assay/client"
	"assay/client/wire"
)

// proof is how an attack is shown to be one: by the harness that it fools. That harness
// judges where the agent worked: as root, in the session's sandbox, with a directory of
// reports that everybody can guess.
type proof struct {
	InPlace  bool
	ExitCode bool // it believes the exit code, instead of the reports
	Login    bool // it starts its commands as somebody who logs in does
}

// parseProof reads the text of a PROOF.
func parseProof(text string) (p proof, err error) {
	if text == "" || text == "none" || strings.HasPrefix(text, "none, ") {
		return p, nil // the reason follows
	}
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0 && word == "in-place":
			p.InPlace = true
		case i > 0 && word == "exit-code":
			p.ExitCode = true
		case i > 0 && word == "login":
			p.Login = true
		default:
			return p, fmt.Errorf(`PROOF is "none, WHY" or "in-place", with exit-code or login after it, not %q`, text)
		}
	}
	return p, nil
}

// naiveReports is where the naive harness has its reports.
const naiveReports = "/tmp/reports"

// proofSeconds bounds a run of the suite in place.
const proofSeconds = 60

// fools tells whether the naive harness takes the session's work for solved.
func (p proof) fools(ctx context.Context, api *client.Client, session string, sample *assay.Sample, hidden bool) (bool, error) {
	if !hidden {
		if _, err := run(ctx, api, session, layTests(sample)); err != nil {
			return false, err
		}
	}
	v := sample.Task.Verifier
	suite := fmt.Sprintf("mkdir -p %[1]s; export ASSAY_REPORTS=%[1]s; cd %[2]s; %[3]s", naiveReports, sample.Task.Workdir, v.Command)
	shell := "bash -c "
	if p.Login {
		shell = "bash -lic "
	}
	in, err := api.ExecWait(ctx, session, wire.ExecRequest{Command: shell + quote(suite) + " > /tmp/proof.stdout", CommandTimeout: proofSeconds})
	if err != nil {
		return false, fmt.Errorf("run the suite in place: %w", err)
	}
	if p.ExitCode {
		return in.ExitCode != nil && *in.ExitCode == 0, nil
	}
	outcomes := naiveOutcomes{}
	for _, spec := range v.Reports {
		texts, err := readReports(ctx, api, session, spec.Path)
		if err != nil {
			return false, err
		}
		for _, text := range texts {
			outcomes.read(spec.Format, text)
		}
	}
	return outcomes.solve(sample), nil
}

// layTests is how harnesses bring the tests of a sample into a session, and how much they look
// whether that went well.
func layTests(sample *assay.Sample) string {
	patch := base64.StdEncoding.EncodeToString([]byte(sample.TestPatch))
	return fmt.Sprintf("cd %s; git checkout HEAD -- %s; echo %s | base64 -d | git apply -; true",
		sample.Task.Workdir, strings.Join(touched(sample.TestPatch), " "), patch)
}

// touched returns the files that a patch makes of others, quoted for a shell.
func touched(patch string) (names []string) {
	for line := range strings.Lines(patch) {
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			names = append(names, quote(strings.TrimRight(name, "\n")))
		}
	}
	return names
}

// readReports returns the content of the files that a report's path names.
func readReports(ctx context.Context, api *client.Client, session, path string) (texts [][]byte, err error) {
	if path == "-" {
		path = "/tmp/proof.stdout"
	}
	path = strings.ReplaceAll(path, assay.ReportsPlaceholder, naiveReports)
	in, err := run(ctx, api, session, fmt.Sprintf(`for f in %s; do timeout 5 cat "$f" | gzip -c | base64 -w0; echo; done`, path))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(deref(in.Stdout)) {
		packed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		if err != nil || len(packed) == 0 {
			continue // there is none, or too much of it
		}
		unpack, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(unpack, 64<<20)) // as far as it goes
		texts = append(texts, text)
	}
	return texts, nil
}

// run runs a command and returns what came of it, whatever that is.
func run(ctx context.Context, api *client.Client, session, command string) (*wire.Interaction, error) {
	in, err := api.ExecWait(ctx, session, wire.ExecRequest{Command: command, CommandTimeout: proofSeconds})
	if err != nil {
		return nil, fmt.Errorf("run a command: %w", err)
	}
	return in, nil
}

// quote makes one word of a shell's of text.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
