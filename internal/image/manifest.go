package image

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// maxDocument bounds manifests, indexes and configs; registries take 4 MiB.
	maxDocument = 16 << 20
	// maxLayers is Docker's limit; overlayfs takes 500.
	maxLayers = 127
)

// arrival is an image on its way into the store.
type arrival struct {
	names    []string
	manifest []byte // nil where an archive has none
	config   []byte
	layers   []Layer
}

// newArrival checks an image's manifest and config, and that they are about the
// same layers and this platform.
func newArrival(names []string, manifest, config []byte) (*arrival, error) {
	m, err := v1.ParseManifest(bytes.NewReader(manifest))
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if m.Config.Digest.String() != digestOf(config) {
		return nil, fmt.Errorf("read config %s: %w", m.Config.Digest, ErrDigest)
	}
	diffIDs, err := checkConfig(config)
	if err != nil {
		return nil, err
	}
	if len(diffIDs) != len(m.Layers) {
		return nil, fmt.Errorf("%w: the manifest has %d layers, the config %d", ErrUnsupported, len(m.Layers), len(diffIDs))
	}
	a := &arrival{names: names, manifest: manifest, config: config}
	for i, desc := range m.Layers {
		if err := checkLayer(desc); err != nil {
			return nil, fmt.Errorf("layer %s: %w", desc.Digest, err)
		}
		a.layers = append(a.layers, Layer{
			DiffID:    diffIDs[i].String(),
			Digest:    desc.Digest.String(),
			Size:      desc.Size,
			MediaType: string(desc.MediaType),
		})
	}
	return a, nil
}

// newBareArrival is newArrival for an archive that has a config and no manifest.
func newBareArrival(names []string, config []byte) (*arrival, error) {
	diffIDs, err := checkConfig(config)
	if err != nil {
		return nil, err
	}
	a := &arrival{names: names, config: config}
	for _, diffID := range diffIDs {
		a.layers = append(a.layers, Layer{DiffID: diffID.String()})
	}
	return a, nil
}

// record is the index's entry for the image.
func (a *arrival) record() record {
	rec := record{Names: a.names, Config: digestOf(a.config), Layers: a.layers}
	rec.Manifest = rec.Config
	if a.manifest != nil {
		rec.Manifest = digestOf(a.manifest)
	}
	if len(rec.Names) == 0 {
		// It would be pruned without a name, though somebody asked for it.
		rec.Names = []string{rec.Manifest}
	}
	return rec
}

func parseConfig(raw []byte) (*v1.ConfigFile, error) {
	return v1.ParseConfigFile(bytes.NewReader(raw))
}

// checkConfig returns the layers' diff ids.
func checkConfig(raw []byte) ([]v1.Hash, error) {
	cfg, err := parseConfig(raw)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	if !runsHere(cfg.OS, cfg.Architecture) {
		return nil, fmt.Errorf("%w: it is for %s/%s, this host is %s", ErrUnsupported, cfg.OS, cfg.Architecture, platform())
	}
	if n := len(cfg.RootFS.DiffIDs); n == 0 || n > maxLayers {
		return nil, fmt.Errorf("%w: it has %d layers, not 1 to %d", ErrUnsupported, n, maxLayers)
	}
	for _, diffID := range cfg.RootFS.DiffIDs {
		if err := checkDigest(diffID); err != nil {
			return nil, err
		}
	}
	return cfg.RootFS.DiffIDs, nil
}

// layerTypes are the media types that can be unpacked. Which compression a blob
// has is seen from the blob: some builders write the wrong one here.
var layerTypes = map[types.MediaType]bool{
	types.OCILayer:                true,
	types.OCILayerZStd:            true,
	types.OCIUncompressedLayer:    true,
	types.DockerLayer:             true,
	types.DockerUncompressedLayer: true,
	"application/vnd.docker.image.rootfs.diff.tar.zstd": true, // buildah
}

func checkLayer(desc v1.Descriptor) error {
	if !desc.MediaType.IsDistributable() || len(desc.URLs) > 0 {
		return fmt.Errorf("%w: a foreign layer, to be fetched from elsewhere; push the image with its layers included", ErrUnsupported)
	}
	if !layerTypes[desc.MediaType] {
		return fmt.Errorf("%w: media type %q", ErrUnsupported, desc.MediaType)
	}
	if desc.Size <= 0 {
		return fmt.Errorf("%w: size %d", ErrUnsupported, desc.Size)
	}
	return checkDigest(desc.Digest)
}

// checkDigest makes sure that a digest is one that can be computed here; it
// becomes part of paths.
func checkDigest(h v1.Hash) error {
	if h.Algorithm != "sha256" || len(h.Hex) != 64 || !isHex(h.Hex) {
		return fmt.Errorf("%w: digest %q is not sha256", ErrUnsupported, h)
	}
	return nil
}

func platform() string { return "linux/" + runtime.GOARCH }

// runsHere tells whether an image of that platform runs here; images that do not
// say are believed to.
func runsHere(os, arch string) bool {
	return (os == "" || os == "linux") && (arch == "" || arch == runtime.GOARCH)
}

// errNoImage says that an index has nothing for this host.
var errNoImage = errors.New("no image for this platform")
