package image

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	// maxFailures is how often in a row a download may fail without getting on.
	maxFailures = 5
	// gettingOn is how many new bytes make a failed attempt a step forward.
	gettingOn = 64 << 10
)

var errStalled = errors.New("the registry has fallen silent")

// download returns a fetcher that brings blobs to partial/, where an interrupted
// one waits for the next attempt, of this process or another.
func (s *Store) download(src *source, progress Progress) fetcher {
	return func(ctx context.Context, layer Layer) (io.ReadCloser, func(), error) {
		// Two diff ids that claim the same blob would write the same file.
		unlock, err := s.lock(ctx, "blob-"+digestHex(layer.Digest), exclusive)
		if err != nil {
			return nil, nil, err
		}
		defer unlock()
		name := s.partialPath(layer.Digest)
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, nil, err
		}
		d := downloading{src: src, layer: layer, f: f, progress: progress, patience: s.patience}
		if err := d.run(ctx); err != nil {
			f.Close()
			var disk *diskError
			if errors.Is(err, ErrDigest) || errors.As(err, &disk) {
				os.Remove(name)
			}
			return nil, nil, err
		}
		return f, func() { os.Remove(name) }, nil
	}
}

func (s *Store) partialPath(digest string) string {
	return s.path("partial", "sha256-"+digestHex(digest))
}

// downloading is one blob on its way.
type downloading struct {
	src      *source
	layer    Layer
	f        *os.File
	progress Progress
	patience patience
}

// patience is how a download bears with a registry.
type patience struct {
	delay time.Duration // before the second attempt; it doubles
	stall time.Duration // bounds silence in the middle of a blob
}

// run brings the whole blob into the file, verified, and rewinds it.
func (d *downloading) run(ctx context.Context) error {
	var most int64 // bytes there have been at once
	for failures := 0; ; {
		have, err := d.size()
		if err != nil {
			return err
		}
		if have == d.layer.Size {
			return d.verify(ctx)
		}
		err = d.attempt(ctx, have)
		if err == nil {
			continue
		}
		if ctx.Err() != nil || !worthRetrying(err) {
			return err
		}
		if have, _ = d.size(); have >= most+gettingOn {
			failures, most = 0, have
		}
		if failures++; failures >= maxFailures {
			return fmt.Errorf("gave up after %d attempts without progress: %w", failures, err)
		}
		select {
		case <-time.After(d.patience.delay << (failures - 1)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (d *downloading) size() (int64, error) {
	info, err := d.f.Stat()
	if err != nil {
		return 0, err
	}
	if info.Size() > d.layer.Size { // not a beginning of this blob
		return 0, d.f.Truncate(0)
	}
	return info.Size(), nil
}

// attempt asks for the bytes from have on and appends what comes.
func (d *downloading) attempt(ctx context.Context, have int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	repo := d.src.ref.Context()
	url := fmt.Sprintf("%s://%s/v2/%s/blobs/%s", repo.Scheme(), repo.RegistryStr(), repo.RepositoryStr(), d.layer.Digest)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		// With its end said, for not every registry takes an open range.
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", have, d.layer.Size-1))
	}
	resp, err := d.src.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return errors.Join(errRestart, d.f.Truncate(0))
	}
	if err := transport.CheckError(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		return err
	}
	if resp.StatusCode == http.StatusOK {
		have = 0 // the whole blob, whatever was asked for
		if err := d.f.Truncate(0); err != nil {
			return err
		}
	} else if got := resp.Header.Get("Content-Range"); !strings.HasPrefix(got, fmt.Sprintf("bytes %d-", have)) {
		return errors.Join(errRestart, d.f.Truncate(0))
	}
	return d.append(ctx, cancel, have, resp.Body)
}

var errRestart = errors.New("the registry cannot continue the blob")

func (d *downloading) append(ctx context.Context, cancel context.CancelCauseFunc, have int64, body io.Reader) error {
	if _, err := d.f.Seek(have, io.SeekStart); err != nil {
		return err
	}
	stall := time.AfterFunc(d.patience.stall, func() { cancel(errStalled) })
	defer stall.Stop()
	watch := newMeter(d.progress, Event{Stage: StageDownload, Layer: d.layer.DiffID, Done: have, Total: d.layer.Size})
	awake := writerFunc(func(p []byte) (int, error) {
		stall.Reset(d.patience.stall)
		return watch.Write(p)
	})
	missing := d.layer.Size - have
	n, err := io.Copy(io.MultiWriter(diskWriter{d.f}, awake), io.LimitReader(body, missing))
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case n < missing:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// verify reads the file back: what counts is what the disk has, and parts of it
// may be from another day.
func (d *downloading) verify(ctx context.Context) error {
	if _, err := d.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, readerContext{ctx, d.f}); err != nil {
		return err
	}
	if err := compare(h, d.layer.Digest); err != nil {
		return err
	}
	_, err := d.f.Seek(0, io.SeekStart)
	return err
}

// worthRetrying tells faults of the way from refusals and from our own disk's.
func worthRetrying(err error) bool {
	var disk *diskError
	if errors.As(err, &disk) {
		return false
	}
	var refusal *transport.Error
	if errors.As(err, &refusal) {
		return refusal.Temporary()
	}
	return true
}

// diskError marks an error of writing, not of the registry.
type diskError struct{ error }

func (e *diskError) Unwrap() error { return e.error }

type diskWriter struct{ f *os.File }

func (w diskWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		err = &diskError{err}
	}
	return n, err
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
