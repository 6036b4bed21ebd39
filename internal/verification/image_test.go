package verification_test

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/sandbox/memory"
	"assay/internal/session"
	"assay/internal/verification"
)

// moving are two images, of which one at a time has the name of the sample's.
type moving struct {
	dirs map[string]string // of their work trees, by digest
	now  string            // the digest of the one that has the name
}

func (m *moving) ImageDigest(_ context.Context, ref string) (string, error) {
	if ref == "img" {
		return m.now, nil
	}
	return ref, nil
}

func (m *moving) OpenTree(ctx context.Context, ref, _ string) (*os.Root, func() error, error) {
	digest, err := m.ImageDigest(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	root, err := os.OpenRoot(m.dirs[digest])
	return root, func() error { return root.Close() }, err
}

// movingCourt is a court whose sample's image has two contents.
func movingCourt(t *testing.T) (*court, *moving) {
	t.Helper()
	m := &moving{dirs: map[string]string{}, now: "sha256:one"}
	images := map[string]memory.Image{}
	for digest, content := range map[string]string{"sha256:one": "broken\n", "sha256:two": "other\n"} {
		dir := t.TempDir()
		m.dirs[digest] = dir
		files := map[string]memory.File{}
		for name, content := range map[string]string{"a.txt": content, "a_test.txt": "old test\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			files[path.Join("/work", name)] = memory.File{Content: []byte(content)}
		}
		images[digest] = memory.Image{Files: files}
	}
	f := newFixture(t)
	f.runtime = memory.New(memory.Options{Images: images, Program: suite})
	f.sessions = session.New(session.Config{Store: f.store, Samples: f.store, Runtime: f.runtime, ImageDigest: m.ImageDigest})
	t.Cleanup(func() {
		if err := f.sessions.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	service, err := verification.New(verification.Config{
		Store: f.store, Sessions: f.sessions, Samples: f.store, Runtime: f.runtime, Dir: f.dir, Images: m,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { service.Close() })
	f.Service = service
	return &court{fixture: f}, m
}

// A session is judged in the image that it began with, though its name means another by then.
func TestASessionKeepsTheImageThatItBeganWith(t *testing.T) {
	c, m := movingCourt(t)
	sess := c.session(map[string]string{"a.txt": "fixed\n"})
	if sess.ImageDigest != "sha256:one" {
		t.Errorf("the session is in image %q", sess.ImageDigest)
	}
	m.now = "sha256:two"
	if text, _ := c.diff(sess.ID, ""); !strings.Contains(text, "-broken\n+fixed\n") {
		t.Errorf("the diff is\n%s", text)
	}
	v, err := c.Start(t.Context(), verification.Reader{UserID: user}, sess.ID, session.Idempotency{})
	if err != nil {
		t.Fatal(err)
	}
	c.work()
	if v, err = c.Get(t.Context(), user, sess.ID, v.ID); err != nil || v.Verdict == nil {
		t.Fatalf("%+v, %v", v, err)
	}
	if !v.Verdict.Solved || v.Verdict.Evidence.ImageDigest != "sha256:one" {
		t.Errorf("solved %v, in image %s: %s", v.Verdict.Solved, v.Verdict.Evidence.ImageDigest, v.Verdict.Reason)
	}
	if text, _ := c.diff(sess.ID, v.ID); !strings.Contains(text, "-broken\n+fixed\n") {
		t.Errorf("the patch that was judged is\n%s", text)
	}
	later := c.session(map[string]string{"a.txt": "fixed\n"})
	if text, _ := c.diff(later.ID, ""); later.ImageDigest != "sha256:two" || !strings.Contains(text, "-other\n+fixed\n") {
		t.Errorf("a later session is in image %s, and its diff is\n%s", later.ImageDigest, text)
	}
}
