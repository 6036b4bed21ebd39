package verification

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"

	"assay"
	"assay/internal/sandbox"
	"assay/internal/worktree"
)

// Images shows what the images of samples hold, without a sandbox.
type Images interface {
	// ImageDigest returns what identifies the content that a reference names now.
	ImageDigest(ctx context.Context, ref string) (string, error)
	// OpenTree opens a directory of an image for reading, until free is called.
	OpenTree(ctx context.Context, ref, dir string) (tree *os.Root, free func() error, err error)
}

// maxDiffs bounds the diffs that are made at once for those who ask.
const maxDiffs = 4

// Patch is what was changed in a work tree, as git apply takes it. Close it.
type Patch struct {
	io.ReadCloser
	Bytes  int64
	SHA256 string // in hex
}

// Diff returns the patch that a verification of a user's session judged. With no
// verification, it is what the session changed so far, as of one moment; of a session that
// has ended, what its last verification judged. Errors beside those of its session and
// verification: job_not_found when the session has ended and nothing was verified,
// not_found when no patch was kept, too_large.
func (s *Service) Diff(ctx context.Context, userID, sessionID, id string) (*Patch, error) {
	if id == "" {
		p, err := s.liveDiff(ctx, userID, sessionID)
		if assay.CodeOf(err) != assay.CodeSessionEnded {
			return p, err
		}
		v, err := s.cfg.Store.LastVerification(ctx, userID, sessionID)
		if assay.CodeOf(err) == assay.CodeJobNotFound {
			return nil, assay.Wrap(err, assay.CodeJobNotFound, "session %s has ended, and nothing in it was verified", sessionID)
		}
		if err != nil {
			return nil, err
		}
		return s.patchOf(ctx, v)
	}
	v, err := s.cfg.Store.Verification(ctx, userID, sessionID, id)
	if err != nil {
		return nil, err
	}
	return s.patchOf(ctx, v)
}

// patchOf returns the patch that a verification judges, also before it does.
func (s *Service) patchOf(ctx context.Context, v *assay.Verification) (*Patch, error) {
	work, err := s.cfg.Store.Work(ctx, v.ID)
	if assay.CodeOf(err) == assay.CodeNotFound && !v.Status.Final() {
		if work, err = s.pendingWork(ctx, v); errors.Is(err, fs.ErrNotExist) { // it was judged meanwhile
			work, err = s.cfg.Store.Work(ctx, v.ID)
		}
	}
	if err != nil {
		return nil, err
	}
	if work.Patch.Gzip == nil {
		return nil, assay.Errorf(assay.CodeTooLarge, "the patch of verification %s is too large to be kept; its SHA-256 is in the verdict's evidence if it could be made", v.ID)
	}
	z, err := work.Patch.open(v.ID)
	if err != nil {
		return nil, err
	}
	return &Patch{ReadCloser: z, Bytes: work.Patch.Bytes, SHA256: work.Patch.SHA256}, nil
}

// open opens a patch that was kept of the work of a verification.
func (p StoredPatch) open(id string) (io.ReadCloser, error) {
	z, err := gzip.NewReader(bytes.NewReader(p.Gzip))
	if err != nil {
		return nil, fmt.Errorf("read the patch of verification %s: %w", id, err)
	}
	return z, nil
}

func (s *Service) pendingWork(ctx context.Context, v *assay.Verification) (*Work, error) {
	done, err := s.mayDiff(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	e, err := s.examine(ctx, v)
	if err != nil {
		return nil, err
	}
	return &e.work, nil
}

// mayDiff waits for one of the few turns to make a diff for somebody who asks.
func (s *Service) mayDiff(ctx context.Context) (done func(), err error) {
	if s.cfg.Images == nil {
		return nil, assay.Errorf(assay.CodeInvalid, "this server cannot tell what was changed in a sandbox")
	}
	select {
	case s.diffs <- struct{}{}:
		return func() { <-s.diffs }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// liveDiff returns what a session changed so far.
func (s *Service) liveDiff(ctx context.Context, userID, sessionID string) (_ *Patch, err error) {
	done, err := s.mayDiff(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	changes, err := s.scratch()
	if err != nil {
		return nil, err
	}
	defer changes.Close()
	sess, _, err := s.snapshot(ctx, userID, sessionID, changes)
	if err != nil {
		return nil, short(err)
	}
	sample, err := s.sampleIn(ctx, sess)
	if err != nil {
		return nil, err
	}
	out, err := s.scratch()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(short(err), out.Close())
		}
	}()
	sum := sha256.New()
	if _, err := s.diff(ctx, io.MultiWriter(out, sum), changes, sample); err != nil {
		if errors.Is(err, sandbox.ErrTooLarge) {
			return nil, assay.Wrap(err, assay.CodeTooLarge, "the changes of session %s are too large for a patch", sessionID)
		}
		return nil, err
	}
	size, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	_, err = out.Seek(0, io.SeekStart)
	return &Patch{ReadCloser: out, Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

// scratch returns a file that goes when it is closed.
func (s *Service) scratch() (*os.File, error) {
	name := "scratch-" + strings.ToLower(rand.Text())
	f, err := s.dir.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, short(fmt.Errorf("make a file for a diff: %w", err))
	}
	if err := s.dir.Remove(name); err != nil {
		return nil, errors.Join(fmt.Errorf("make a file for a diff: %w", err), f.Close())
	}
	return f, nil
}

// diff writes what changes make of a sample's work tree, and returns their fingerprint.
func (s *Service) diff(ctx context.Context, dst io.Writer, changes io.ReadSeeker, sample *assay.Sample) (fingerprint string, err error) {
	tree, free, err := s.cfg.Images.OpenTree(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID), sample.Task.Workdir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, free()) }()
	return worktree.Diff(ctx, dst, changes, tree)
}

// examined is what is known of a work before it is judged.
type examined struct {
	imageDigest string
	work        Work
}

// examine makes the patch of the changes that were stored with a verification. Changes
// that are too large for one are no error: their work has no patch.
func (s *Service) examine(ctx context.Context, v *assay.Verification) (*examined, error) {
	sample, err := s.sampleOf(ctx, v)
	if err != nil {
		return nil, err
	}
	e := &examined{}
	if e.imageDigest, err = s.cfg.Images.ImageDigest(ctx, sample.Task.ImageFor(sample.Dataset, sample.ID)); err != nil {
		return nil, err
	}
	changes, err := s.dir.Open(changesName(v.ID))
	if err != nil {
		return nil, fmt.Errorf("open the session's changes: %w", err)
	}
	defer changes.Close()
	out := newPatchWriter(s.cfg.MaxPatchBytes)
	fingerprint, err := s.diff(ctx, out, changes, sample)
	if errors.Is(err, sandbox.ErrTooLarge) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	if e.work.Patch, err = out.finish(); err != nil {
		return nil, err
	}
	e.work.CacheKey, err = cacheKey(sample, e.imageDigest, e.work.Patch.SHA256, fingerprint)
	return e, err
}

// cacheKey is the same of works that are judged alike: on the same version of a sample,
// in the same image, by the same rules.
func cacheKey(s *assay.Sample, imageDigest, patchSHA256, fingerprint string) (string, error) {
	text, err := json.Marshal(struct {
		Grader, Image, Patch, Fingerprint  string
		Dataset, Sample                    string
		Version                            int
		Task                               assay.Task
		Reference, NonCode, Test           string
		FailToPass, PassToPass, FailToFail []string
	}{
		assay.GraderVersion, imageDigest, patchSHA256, fingerprint,
		s.Dataset, s.ID, s.Version, s.Task, s.Patch, s.NonCodePatch, s.TestPatch, s.FailToPass, s.PassToPass, s.FailToFail,
	})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// patchWriter keeps a patch, unless it becomes too large, and its digest in any case.
type patchWriter struct {
	limit int // of what is kept
	sum   hash.Hash
	bytes int64
	kept  bytes.Buffer
	zip   *gzip.Writer
}

func newPatchWriter(limit int) *patchWriter {
	w := &patchWriter{limit: limit, sum: sha256.New()}
	w.zip = gzip.NewWriter(&w.kept)
	return w
}

func (w *patchWriter) Write(p []byte) (int, error) {
	w.bytes += int64(len(p))
	w.sum.Write(p)
	if w.zip == nil {
		return len(p), nil
	}
	if _, err := w.zip.Write(p); err != nil {
		return 0, err
	}
	if w.kept.Len() > w.limit {
		w.zip, w.kept = nil, bytes.Buffer{}
	}
	return len(p), nil
}

func (w *patchWriter) finish() (StoredPatch, error) {
	p := StoredPatch{SHA256: hex.EncodeToString(w.sum.Sum(nil)), Bytes: w.bytes}
	if w.zip == nil {
		return p, nil
	}
	if err := w.zip.Close(); err != nil {
		return p, err
	}
	if w.kept.Len() <= w.limit {
		p.Gzip = w.kept.Bytes()
	}
	return p, nil
}
