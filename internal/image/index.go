package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// record is an image in index.json.
type record struct {
	Names    []string  `json:"names"` // sorted
	Manifest string    `json:"manifest"`
	Config   string    `json:"config"`
	Layers   []Layer   `json:"layers"`
	Size     int64     `json:"size"`
	LoadedAt time.Time `json:"loaded_at"`
}

// index is index.json. Every operation reads it anew: another process may have
// changed it.
type index struct {
	Images []record `json:"images"`
}

func (s *Store) readIndex() (*index, error) {
	var idx index
	err := readJSON(s.path("index.json"), &idx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read image index: %w", err)
	}
	return &idx, nil
}

func (s *Store) writeIndex(idx *index) error {
	if err := writeJSON(s.path("index.json"), idx); err != nil {
		return fmt.Errorf("write image index: %w", err)
	}
	return nil
}

// add puts an image in the index. A name moves to it from whatever image had it;
// an image that has lost its last name stays until Prune.
func (idx *index) add(rec record) {
	for i := range idx.Images {
		idx.Images[i].Names = slices.DeleteFunc(idx.Images[i].Names, func(name string) bool {
			return slices.Contains(rec.Names, name)
		})
	}
	i := slices.IndexFunc(idx.Images, func(r record) bool { return r.Manifest == rec.Manifest })
	if i < 0 {
		idx.Images = append(idx.Images, rec)
		i = len(idx.Images) - 1
	}
	names := append(slices.Clone(idx.Images[i].Names), rec.Names...)
	slices.Sort(names)
	rec.Names = slices.Compact(names)
	idx.Images[i] = rec
}

// find finds an image by name, by name@digest, or by digest or id, of which a
// prefix will do. It returns the name that was meant, if it was one.
func (idx *index) find(ref string) (i int, name string, err error) {
	if i, name := idx.findName(ref); i >= 0 {
		return i, name, nil
	}
	prefix := ref
	if _, digest, ok := strings.Cut(ref, "@"); ok {
		prefix = digest
	}
	hexes, isDigest := strings.CutPrefix(prefix, "sha256:")
	if !isHex(hexes) || (!isDigest && len(hexes) < minShortID) {
		return -1, "", &notFoundError{ref}
	}
	found := -1
	for i, rec := range idx.Images {
		if !strings.HasPrefix(rec.Manifest, "sha256:"+hexes) && !strings.HasPrefix(rec.Config, "sha256:"+hexes) {
			continue
		}
		if found >= 0 {
			return -1, "", fmt.Errorf("%w: several images match %q; give more of its digits", ErrAmbiguous, ref)
		}
		found = i
	}
	if found < 0 {
		return -1, "", &notFoundError{ref}
	}
	return found, "", nil
}

// findName finds an image by name: by the very name first, then by what Docker
// would take the name for.
func (idx *index) findName(ref string) (int, string) {
	full := normalise(ref)
	for _, same := range []func(string) bool{
		func(name string) bool { return name == ref },
		func(name string) bool { return name == ref+":latest" },
		func(name string) bool { return name == full },
		func(name string) bool { return full != "" && normalise(name) == full },
		func(name string) bool { return name == "localhost/"+ref || name == "localhost/"+ref+":latest" }, // buildah's way
	} {
		for i, rec := range idx.Images {
			if j := slices.IndexFunc(rec.Names, same); j >= 0 {
				return i, rec.Names[j]
			}
		}
	}
	return -1, ""
}

// minShortID is how many digits of an id name an image.
const minShortID = 6

func isHex(s string) bool {
	return s != "" && len(s) <= 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// image is the record with what its config says.
func (s *Store) image(rec record, name string) (Image, error) {
	raw, err := s.readBlob(rec.Config)
	if err != nil {
		return Image{}, fmt.Errorf("read config of image %s: %w", rec.Manifest, err)
	}
	cfg, err := parseConfig(raw)
	if err != nil {
		return Image{}, fmt.Errorf("read config of image %s: %w", rec.Manifest, err)
	}
	if name == "" && len(rec.Names) > 0 {
		name = rec.Names[0]
	}
	return Image{
		Name:           name,
		Names:          rec.Names,
		ManifestDigest: rec.Manifest,
		ConfigDigest:   rec.Config,
		Size:           rec.Size,
		CreatedAt:      cfg.Created.Time,
		LoadedAt:       rec.LoadedAt,
		Config:         runConfig(cfg),
		Layers:         rec.Layers,
	}, nil
}

func runConfig(cfg *v1.ConfigFile) Config {
	return Config{
		Env:          cfg.Config.Env,
		WorkingDir:   cfg.Config.WorkingDir,
		User:         cfg.Config.User,
		Entrypoint:   cfg.Config.Entrypoint,
		Cmd:          cfg.Config.Cmd,
		Labels:       cfg.Config.Labels,
		Architecture: cfg.Architecture,
	}
}

// Resolve finds an image: by name (as it was loaded, or as Docker completes it),
// by name@digest, or by manifest or config digest, of which the first six digits
// will do if only one image has them. It fails with ErrNotFound or ErrAmbiguous.
func (s *Store) Resolve(ctx context.Context, ref string) (Image, error) {
	if err := ctx.Err(); err != nil {
		return Image{}, err
	}
	idx, err := s.readIndex()
	if err != nil {
		return Image{}, err
	}
	i, name, err := idx.find(ref)
	if err != nil {
		return Image{}, err
	}
	return s.image(idx.Images[i], name)
}

// List lists the images, in the order they came.
func (s *Store) List(ctx context.Context) ([]Image, error) {
	idx, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	images := make([]Image, 0, len(idx.Images))
	for _, rec := range idx.Images {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		img, err := s.image(rec, "")
		if err != nil {
			return nil, err
		}
		images = append(images, img)
	}
	return images, nil
}

// readBlob reads a manifest or config, and proves that it is still what it was.
func (s *Store) readBlob(digest string) ([]byte, error) {
	data, err := os.ReadFile(s.blobPath(digest))
	if err != nil {
		return nil, err
	}
	if digestOf(data) != digest {
		return nil, fmt.Errorf("blob %s: %w", digest, ErrDigest)
	}
	return data, nil
}

func (s *Store) writeBlob(digest string, data []byte) error {
	if err := writeFile(s.blobPath(digest), data); err != nil {
		return fmt.Errorf("write blob %s: %w", digest, err)
	}
	return nil
}

func (s *Store) blobPath(digest string) string  { return s.path("blobs/sha256", digestHex(digest)) }
func (s *Store) layerPath(diffID string) string { return s.path("layers/sha256", digestHex(diffID)) }

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// digestHex is a digest's digits. Digests in the index were checked when they
// came in, and are paths only in this form.
func digestHex(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
