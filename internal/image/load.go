package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Load brings in all images of a `docker save` archive or an OCI image layout
// (a directory or a tar of one), and unpacks them. Tars may be compressed with
// gzip or zstd. Names are kept as the archive has them. Where none of its images
// has a name, they are known by their digests; else only those with a name come
// in. Either all of them do or none.
func (s *Store) Load(ctx context.Context, path string, progress Progress) ([]Image, error) {
	images, err := s.load(ctx, path, progress.serial())
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return images, nil
}

func (s *Store) load(ctx context.Context, path string, progress Progress) ([]Image, error) {
	unlock, err := s.lock(ctx, lockContent, shared)
	if err != nil {
		return nil, err
	}
	defer unlock()
	a, err := s.openArchive(ctx, path)
	if err != nil {
		return nil, err
	}
	defer a.Close() //nolint:errcheck // it was only read
	found, err := readArchive(a)
	if err != nil {
		return nil, err
	}
	var arrivals []*arrival
	for _, img := range found {
		if err := s.ensureLayers(ctx, img.layers, parallelUnpacks, progress, img.fetch(a)); err != nil {
			return nil, err
		}
		arrivals = append(arrivals, img.arrival)
	}
	return s.commit(ctx, arrivals)
}

// archived is an image in an archive.
type archived struct {
	*arrival
	files map[string]string // diff id to file name
}

func (img archived) fetch(a archive) fetcher {
	return func(_ context.Context, layer Layer) (io.ReadCloser, func(), error) {
		blob, _, err := a.open(img.files[layer.DiffID])
		return blob, func() {}, err
	}
}

// readArchive finds the images of an archive. Recent versions of docker save
// write both formats into one; then the OCI layout is the richer one, unless it
// lacks the names.
func readArchive(a archive) ([]archived, error) {
	images, err := readLayout(a)
	if err != nil && !errors.Is(err, errOtherFormat) {
		return nil, err
	}
	named := slices.DeleteFunc(slices.Clone(images), func(img archived) bool { return len(img.names) == 0 })
	if len(named) > 0 {
		// The others lost their names to these: builders leave them in the index.
		return named, nil
	}
	saved, saveErr := readDockerSave(a)
	switch {
	case saveErr == nil:
		return saved, nil
	case !errors.Is(saveErr, errOtherFormat):
		return nil, saveErr
	case err != nil:
		return nil, errors.New("neither an OCI image layout (no index.json) nor a docker save archive (no manifest.json)")
	}
	return images, nil
}

// errOtherFormat says that an archive lacks the file that its format begins with.
var errOtherFormat = errors.New("another format")

// readStart reads the document that a format begins with.
func readStart(a archive, name string) ([]byte, error) {
	raw, err := readDocument(a, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errOtherFormat
	}
	return raw, err
}

// savedImage is an element of manifest.json, the list of images that docker save
// writes.
type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func readDockerSave(a archive) ([]archived, error) {
	raw, err := readStart(a, "manifest.json")
	if err != nil {
		return nil, err
	}
	var list []savedImage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read manifest.json: %w", err)
	}
	var images []archived
	for _, saved := range list {
		img, err := saved.read(a)
		if err != nil {
			return nil, fmt.Errorf("image %v: %w", saved.RepoTags, err)
		}
		images = append(images, img)
	}
	if len(images) == 0 {
		return nil, errors.New("no images in manifest.json")
	}
	return images, nil
}

func (saved savedImage) read(a archive) (archived, error) {
	config, err := readDocument(a, saved.Config)
	if err != nil {
		return archived{}, fmt.Errorf("read config: %w", err)
	}
	img, err := newBareArrival(saved.RepoTags, config)
	if err != nil {
		return archived{}, err
	}
	if len(img.layers) != len(saved.Layers) {
		return archived{}, fmt.Errorf("%w: manifest.json lists %d layers, the config %d", ErrUnsupported, len(saved.Layers), len(img.layers))
	}
	files := map[string]string{}
	for i, layer := range img.layers {
		files[layer.DiffID] = saved.Layers[i]
	}
	return archived{arrival: img, files: files}, nil
}

// The annotations that name an image in a layout's index.
const (
	annotationName = "io.containerd.image.name"          // in full: containerd, Docker
	annotationRef  = "org.opencontainers.image.ref.name" // OCI image-spec, annotations.md; a name, or just a tag
)

func readLayout(a archive) ([]archived, error) {
	raw, err := readStart(a, "index.json")
	if err != nil {
		return nil, err
	}
	idx, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read index.json: %w", err)
	}
	var images []archived
	byDigest := map[v1.Hash]int{}
	for _, desc := range idx.Manifests {
		if !forThisHost(desc) {
			continue
		}
		if i, ok := byDigest[desc.Digest]; ok {
			images[i].names = append(images[i].names, layoutNames(desc)...)
			continue
		}
		img, err := readLayoutImage(a, desc, maxIndexDepth)
		if errors.Is(err, errNoImage) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", desc.Digest, err)
		}
		img.names = layoutNames(desc)
		byDigest[desc.Digest] = len(images)
		images = append(images, img)
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("%w: no image for %s", ErrUnsupported, platform())
	}
	return images, nil
}

// maxIndexDepth is how deep indexes may nest: an archive of images of several
// platforms has two.
const maxIndexDepth = 4

func readLayoutImage(a archive, desc v1.Descriptor, depth int) (archived, error) {
	raw, err := readLayoutBlob(a, desc)
	if err != nil {
		return archived{}, err
	}
	switch {
	case desc.MediaType.IsIndex() && depth > 0:
		return readNestedIndex(a, raw, depth-1)
	case !desc.MediaType.IsImage():
		return archived{}, fmt.Errorf("%w: media type %q", ErrUnsupported, desc.MediaType)
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return archived{}, fmt.Errorf("read manifest: %w", err)
	}
	config, err := readLayoutBlob(a, m.Config)
	if err != nil {
		return archived{}, err
	}
	img, err := newArrival(nil, raw, config)
	if err != nil {
		return archived{}, err
	}
	files := map[string]string{}
	for _, layer := range img.layers {
		files[layer.DiffID] = layoutBlob(layer.Digest)
	}
	return archived{arrival: img, files: files}, nil
}

// readNestedIndex picks the image for this host.
func readNestedIndex(a archive, raw []byte, depth int) (archived, error) {
	idx, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return archived{}, fmt.Errorf("read index: %w", err)
	}
	for _, desc := range idx.Manifests {
		if desc.Platform == nil || !forThisHost(desc) {
			continue
		}
		img, err := readLayoutImage(a, desc, depth)
		if !errors.Is(err, errNoImage) {
			return img, err
		}
	}
	return archived{}, errNoImage
}

// forThisHost also leaves out what is no image: attestations have the platform
// unknown/unknown.
func forThisHost(desc v1.Descriptor) bool {
	return desc.Platform == nil || runsHere(desc.Platform.OS, desc.Platform.Architecture)
}

func layoutNames(desc v1.Descriptor) []string {
	for _, key := range []string{annotationName, annotationRef} {
		if name := desc.Annotations[key]; name != "" {
			return []string{name}
		}
	}
	return nil
}

func readLayoutBlob(a archive, desc v1.Descriptor) ([]byte, error) {
	if err := checkDigest(desc.Digest); err != nil {
		return nil, err
	}
	data, err := readDocument(a, layoutBlob(desc.Digest.String()))
	if err != nil {
		return nil, err
	}
	if digestOf(data) != desc.Digest.String() {
		return nil, fmt.Errorf("blob %s: %w", desc.Digest, ErrDigest)
	}
	return data, nil
}

func layoutBlob(digest string) string { return "blobs/sha256/" + digestHex(digest) }
