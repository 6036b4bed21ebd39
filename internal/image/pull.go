package image

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// parallelDownloads is how many layers a pull fetches at a time, like Docker.
const parallelDownloads = 3

// PullOptions configures a Pull.
type PullOptions struct {
	Progress Progress
	// Insecure allows plain HTTP and certificates that nobody vouches for. HTTP
	// is always allowed to this host.
	Insecure bool
	// Keychain finds credentials. Defaults to those of the Docker config: the
	// file of DOCKER_CONFIG or ~/.docker/config.json, and its credential helpers.
	Keychain authn.Keychain
	// Transport defaults to one that goes by the proxies of the environment.
	Transport http.RoundTripper
}

// Pull fetches an image for this host's platform from a registry, and unpacks
// it. The name is completed as Docker does (docker.io, library/, latest). Layers
// that are here are not fetched again; one that was interrupted, in this pull or
// an earlier one, is continued where the registry can do that.
func (s *Store) Pull(ctx context.Context, ref string, opts PullOptions) (Image, error) {
	img, err := s.pull(ctx, ref, opts)
	if err != nil {
		return Image{}, fmt.Errorf("pull %s: %w", ref, err)
	}
	return img, nil
}

func (s *Store) pull(ctx context.Context, ref string, opts PullOptions) (Image, error) {
	unlock, err := s.lock(ctx, lockContent, shared)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	reg, err := newSource(ctx, ref, opts)
	if err != nil {
		return Image{}, err
	}
	defer reg.close()
	a, err := reg.image()
	if err != nil {
		return Image{}, err
	}
	progress := opts.Progress.serial()
	if err := s.ensureLayers(ctx, a.layers, parallelDownloads, progress, s.download(reg, progress)); err != nil {
		return Image{}, err
	}
	images, err := s.commit(ctx, []*arrival{a})
	if err != nil {
		return Image{}, err
	}
	return images[0], nil
}

// source is one repository of a registry, with the right to read it.
type source struct {
	ref    name.Reference
	opts   []remote.Option // with the context of the pull
	client *http.Client    // authorised for the repository
	close  func()          // drops idle connections
}

func newSource(ctx context.Context, ref string, opts PullOptions) (*source, error) {
	var nameOpts []name.Option
	if opts.Insecure {
		nameOpts = append(nameOpts, name.Insecure)
	}
	parsed, err := name.ParseReference(ref, nameOpts...)
	if err != nil {
		return nil, err
	}
	keychain := opts.Keychain
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	auth, err := authn.Resolve(ctx, keychain, parsed.Context())
	if err != nil {
		return nil, fmt.Errorf("find credentials for %s: %w", parsed.Context().RegistryStr(), err)
	}
	base, done := opts.Transport, func() {}
	if base == nil {
		own := baseTransport(opts.Insecure)
		base, done = own, own.CloseIdleConnections
	}
	base = transport.NewUserAgent(transport.NewRetry(base), "assay")
	authorised, err := transport.NewWithContext(ctx, parsed.Context().Registry, auth, base, []string{parsed.Scope(transport.PullScope)})
	if err != nil {
		done()
		return nil, err
	}
	return &source{
		ref: parsed,
		opts: []remote.Option{
			remote.WithContext(ctx),
			remote.WithTransport(authorised),
			remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}),
		},
		client: &http.Client{Transport: authorised},
		close:  done,
	}, nil
}

// headerTimeout bounds a registry's silence before it answers.
const headerTimeout = time.Minute

func baseTransport(insecure bool) *http.Transport {
	base := remote.DefaultTransport.(*http.Transport).Clone()
	base.ResponseHeaderTimeout = headerTimeout
	if insecure {
		base.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user asked for it by name
	}
	return base
}

// image fetches and checks the manifest and config.
func (src *source) image() (*arrival, error) {
	img, err := remote.Image(src.ref, src.opts...)
	if err != nil {
		return nil, err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return nil, fmt.Errorf("fetch manifest: %w", err)
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if len(manifest) > maxDocument || m.Config.Size > maxDocument {
		return nil, fmt.Errorf("%w: manifest of %d and config of %d bytes", ErrLimit, len(manifest), m.Config.Size)
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return nil, fmt.Errorf("fetch config: %w", err)
	}
	return newArrival([]string{fullName(src.ref)}, manifest, config)
}
