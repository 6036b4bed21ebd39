package dataset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"assay"
)

// WorktreeReader returns a tar of the directory workdir of an image, in any order,
// names relative to workdir. The caller closes it.
type WorktreeReader func(ctx context.Context, ref, workdir string) (io.ReadCloser, error)

// ImageDigester returns what identifies the content that an image reference names
// now: image_unavailable when it names none.
type ImageDigester func(ctx context.Context, ref string) (string, error)

// Bundle is a packed sample, open for reading: a tar.gz with sample.json, the
// verifier in verifier/ and the work tree in worktree/. docs/dataset-format.md
// defines it. The same sample gives the same bytes. Of a sample without its answers
// there is no verifier, and sample.json says so.
type Bundle struct {
	io.ReadSeekCloser
	Filename string // to offer to who saves it
	Size     int64  // bytes
	SHA256   string // in hex
}

// Bundle packs a sample, or finds it packed. The caller closes the bundle.
// image_unavailable when its image is not on this server.
func (s *Service) Bundle(ctx context.Context, sample *assay.Sample) (*Bundle, error) {
	if s.bundles == nil {
		return nil, assay.Errorf(assay.CodeUnavailable, "this server does not pack samples")
	}
	b, err := s.bundles.open(ctx, sample)
	if err != nil {
		return nil, fmt.Errorf("pack sample %s: %w", sample.ID, err)
	}
	return b, nil
}

// bundleFilename is what a bundle is called by who downloads it.
func bundleFilename(s *assay.Sample) string {
	if s.Withheld {
		return fmt.Sprintf("%s-%s-v%d-withheld.tar.gz", s.Dataset, s.ID, s.Version)
	}
	return fmt.Sprintf("%s-%s-v%d.tar.gz", s.Dataset, s.ID, s.Version)
}

// sampleDocument is sample.json: the columns of a row of samples.jsonl, so that a
// bundle can be imported again, with what the server knows of the sample.
type sampleDocument struct {
	InstanceID             string     `json:"instance_id"`
	Dataset                string     `json:"dataset"`
	Version                int        `json:"version"`
	VersionDescription     string     `json:"version_description"`
	Description            string     `json:"description"`
	CreatedAt              *time.Time `json:"created_at,omitempty"`
	Repo                   string     `json:"repo"`
	BaseCommit             string     `json:"base_commit"`
	EnvironmentSetupCommit string     `json:"environment_setup_commit"`
	ProblemStatement       string     `json:"problem_statement"`
	HintsText              string     `json:"hints_text"`
	Patch                  string     `json:"patch"`
	NonCodePatch           string     `json:"non_code_patch"`
	TestPatch              string     `json:"test_patch"`
	FailToPass             []string   `json:"fail_to_pass"`
	PassToPass             []string   `json:"pass_to_pass"`
	FailToFail             []string   `json:"fail_to_fail"`
	Language               string     `json:"language"`
	Withheld               string     `json:"withheld,omitempty"` // what is not here, in a sentence; such a row is not imported
	Assay                  assay.Task `json:"assay"`
}

// withheldNote is what sample.json says in a bundle without the answers.
const withheldNote = "The server does not open the answers of this dataset to who asked: patch, non_code_patch, test_patch, fail_to_pass, pass_to_pass, fail_to_fail and the verifier are left out, " +
	"and work on this sample cannot be verified with what is here. Verify it in a session on the server."

func documentOf(s *assay.Sample) sampleDocument {
	d := sampleDocument{
		InstanceID: s.ID, Dataset: s.Dataset, Version: s.Version,
		VersionDescription: s.VersionDescription, Description: s.Description,
		Repo: s.Repo, BaseCommit: s.BaseCommit, EnvironmentSetupCommit: s.EnvironmentSetupCommit,
		ProblemStatement: s.ProblemStatement, HintsText: s.HintsText,
		Patch: s.Patch, NonCodePatch: s.NonCodePatch, TestPatch: s.TestPatch,
		FailToPass: s.FailToPass, PassToPass: s.PassToPass, FailToFail: s.FailToFail,
		Language: s.Task.Language, Assay: s.Task,
	}
	if !s.CreatedAt.IsZero() {
		at := s.CreatedAt.UTC()
		d.CreatedAt = &at
	}
	if s.Withheld {
		d.Withheld = withheldNote
	}
	return d
}

// Document is a sample as JSON for people, with its answers if it has them: sample.json
// of a bundle.
func Document(s *assay.Sample) ([]byte, error) { return readable(documentOf(s)) }

// readable writes JSON for people: indented, and without escapes for HTML.
func readable(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

// writeBundle writes a bundle: everything in sorted order, owned by root, at the
// beginning of time.
func writeBundle(w io.Writer, s *assay.Sample, tree *spool) error {
	files, err := bundleFiles(s)
	if err != nil {
		return err
	}
	zw := gzip.NewWriter(w)
	tw := tar.NewWriter(zw)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: time.Unix(0, 0)}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := tw.Write(f.data); err != nil {
			return err
		}
	}
	if err := tree.writeTo(tw, "worktree/"); err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return zw.Close()
}

// bundleFile is a file of a bundle beside the work tree.
type bundleFile struct {
	name string
	mode int64
	data []byte
}

// bundleFiles returns what a bundle of a sample holds beside the work tree, by name.
func bundleFiles(s *assay.Sample) ([]bundleFile, error) {
	doc, err := Document(s)
	if err != nil {
		return nil, err
	}
	files := []bundleFile{{"sample.json", 0o644, doc}}
	if s.Withheld {
		return files, nil
	}
	verifier, err := readable(s.Task.Verifier)
	if err != nil {
		return nil, err
	}
	return append(files,
		bundleFile{"verifier/run.sh", 0o755, []byte("#!/bin/bash\n" + s.Task.Verifier.Command + "\n")},
		bundleFile{"verifier/test.patch", 0o644, []byte(s.TestPatch)},
		bundleFile{"verifier/verifier.json", 0o644, verifier},
	), nil
}
