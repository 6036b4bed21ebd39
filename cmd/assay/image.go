package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"

	"assay/internal/image"
)

type imageLoadCmd struct {
	localFlags
	Path string `arg:"" help:"Archive of docker save, or OCI layout: a tar or a folder."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (*imageLoadCmd) Help() string {
	return `Loads all images of the archive, or none. Layers that are here already are not unpacked again.

    docker save task > task.tar && assay image load task.tar
    assay image load images/`
}

func (c *imageLoadCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.open(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	progress := newLayerProgress(std, "loading")
	images, err := a.Images.Load(ctx, c.Path, progress.event)
	progress.end()
	if err != nil {
		return err
	}
	return showImages(std, images, c.JSON)
}

type imagePullCmd struct {
	localFlags
	Ref      string `arg:"" help:"Reference, as docker pull takes it."`
	Insecure bool   `help:"Allow plain HTTP, and certificates that nobody vouches for."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

func (*imagePullCmd) Help() string {
	return `Credentials come from the Docker config: DOCKER_CONFIG, or ~/.docker/config.json. A pull that was interrupted
is continued by the next.

    assay image pull registry.example.org/tasks/one:latest`
}

func (c *imagePullCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.open(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	progress := newLayerProgress(std, "pulling")
	img, err := a.Images.Pull(ctx, c.Ref, image.PullOptions{Progress: progress.event, Insecure: c.Insecure})
	progress.end()
	if err != nil {
		return err
	}
	return showImages(std, []image.Image{img}, c.JSON)
}

type imageListCmd struct {
	localFlags
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *imageListCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	images, err := a.Images.List(ctx)
	if err != nil {
		return err
	}
	return showImages(std, images, c.JSON)
}

type imageRmCmd struct {
	localFlags
	Refs []string `arg:"" name:"ref" help:"Names or digests."`
}

func (*imageRmCmd) Help() string {
	return `An image that a sandbox uses is not removed. Its layers stay until "assay image prune".`
}

func (c *imageRmCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	var errs []error
	for _, ref := range c.Refs {
		if err := a.Images.Remove(ctx, ref); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(std.out, "removed", ref)
	}
	return errors.Join(errs...)
}

type imagePruneCmd struct {
	localFlags
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *imagePruneCmd) Run(ctx context.Context, parsed *kong.Context, std stdio) (err error) {
	a, err := c.openExisting(ctx, parsed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	pruned, err := a.Images.Prune(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(std.out, map[string]any{"images": pruned.Images, "layers": pruned.Layers, "bytes": pruned.Bytes})
	}
	_, err = fmt.Fprintf(std.out, "freed %s: %d images, %d layers\n", humanize.IBytes(uint64(pruned.Bytes)), len(pruned.Images), len(pruned.Layers))
	return err
}

// shownImage is an image in the output for programs.
type shownImage struct {
	Name           string   `json:"name"`
	Names          []string `json:"names"`
	ManifestDigest string   `json:"manifest_digest"`
	ConfigDigest   string   `json:"config_digest"`
	SizeBytes      int64    `json:"size_bytes"`
	LoadedAt       string   `json:"loaded_at"`
}

func showImages(std stdio, images []image.Image, asJSON bool) error {
	if asJSON {
		shown := []shownImage{}
		for _, img := range images {
			shown = append(shown, shownImage{
				img.Name, img.Names, img.ManifestDigest, img.ConfigDigest, img.Size,
				img.LoadedAt.UTC().Format("2006-01-02T15:04:05Z"),
			})
		}
		return writeJSON(std.out, shown)
	}
	t := newTable(std.out, "NAME", "DIGEST", "SIZE", "LOADED")
	for _, img := range images {
		names := img.Names
		if len(names) == 0 {
			names = []string{"-"}
		}
		for _, name := range names {
			t.row(name, shortDigest(img.ManifestDigest), humanize.IBytes(uint64(img.Size)), when(img.LoadedAt))
		}
	}
	return t.flush()
}
