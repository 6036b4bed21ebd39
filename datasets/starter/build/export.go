package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// exporter copies images from buildah's storage into a layout. They go through a
// registry on loopback that keeps its blobs in the layout: buildah compresses every
// layer anew for every image that it pushes to a layout, but asks a registry whether
// it has the layer. For that, all images go to one repository of one registry.
type exporter struct {
	layout layout
	server *http.Server
	host   string
	served chan error
}

// repository is the name that all images have in the registry.
const repository = "starter"

// newExporter starts the registry. Close stops it.
func newExporter(l layout) (*exporter, error) {
	blobs := filepath.Join(l.dir, "blobs")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &exporter{
		layout: l,
		server: &http.Server{
			Handler: registry.New(
				registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)),
				registry.Logger(log.New(io.Discard, "", 0))),
			ReadHeaderTimeout: time.Minute,
		},
		host:   listener.Addr().String(),
		served: make(chan error, 1),
	}
	go func() { e.served <- e.server.Serve(listener) }()
	return e, nil
}

// Close stops the registry and waits for it.
func (e *exporter) Close() error {
	err := e.server.Close()
	if served := <-e.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// export puts an image of the storage into the layout, replacing one of the same name.
func (e *exporter) export(ctx context.Context, b buildah, image string) error {
	tag := hexSum([]byte(image))
	if _, err := output(b.command(ctx, "push", "--quiet", "--format", "oci", "--tls-verify=false",
		"localhost/"+image, "docker://"+e.host+"/"+repository+":"+tag)); err != nil {
		return fmt.Errorf("export %s: %w", image, err)
	}
	manifest, mediaType, err := e.manifest(ctx, tag)
	if err != nil {
		return fmt.Errorf("export %s: %w", image, err)
	}
	return e.layout.add(image, mediaType, manifest)
}

// manifest asks the registry for a manifest.
func (e *exporter) manifest(ctx context.Context, tag string) (manifest []byte, mediaType string, err error) {
	const most = 4 << 20 // what registries accept
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.host+"/v2/"+repository+"/manifests/"+tag, nil)
	if err != nil {
		return nil, "", err
	}
	direct := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // past any proxy
	response, err := direct.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("read the manifest: %s", response.Status)
	}
	manifest, err = io.ReadAll(io.LimitReader(response.Body, most))
	return manifest, response.Header.Get("Content-Type"), err
}
