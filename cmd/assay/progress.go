package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"

	"assay/internal/image"
)

// newBar draws a progress bar on standard error.
func newBar(std stdio, what string, total int64, more ...progressbar.Option) *progressbar.ProgressBar {
	options := append([]progressbar.Option{
		progressbar.OptionSetWriter(std.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetRenderBlankState(true),
	}, more...)
	return progressbar.NewOptions64(total, options...)
}

// layerProgress shows how the layers of images arrive: as a bar to a person, else as a
// line for each layer that was not here before.
type layerProgress struct {
	std  stdio
	bar  *progressbar.ProgressBar // nil when nobody watches
	seen map[layerStage]image.Event
}

type layerStage struct {
	layer string
	stage image.Stage
}

func newLayerProgress(std stdio, what string) *layerProgress {
	p := &layerProgress{std: std, seen: map[layerStage]image.Event{}}
	if std.interactive() {
		p.bar = newBar(std, what, -1, progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true),
			progressbar.OptionSetPredictTime(false)) // more layers are met on the way
	}
	return p
}

// event takes one step of a Load or Pull.
func (p *layerProgress) event(e image.Event) {
	if e.Stage == image.StageDone {
		p.done(e.Layer)
		return
	}
	p.seen[layerStage{e.Layer, e.Stage}] = e
	if p.bar == nil {
		return
	}
	var done, total int64
	for _, e := range p.seen {
		done += e.Done
		total += max(e.Total, e.Done)
	}
	p.bar.ChangeMax64(total + 1) // so that it is not finished while more may come
	_ = p.bar.Set64(done)        // what cannot be drawn is not missed
}

// done tells of a layer that was unpacked. It is done again in each further image that
// has it, which is no news.
func (p *layerProgress) done(layer string) {
	unpack := layerStage{layer, image.StageUnpack}
	if _, arrived := p.seen[unpack]; arrived && p.bar == nil {
		fmt.Fprintf(p.std.err, "unpacked layer %s\n", shortDigest(layer))
		delete(p.seen, unpack)
	}
}

// end clears the bar.
func (p *layerProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// shortDigest cuts a digest to what people compare.
func shortDigest(digest string) string {
	const algorithm = len("sha256:")
	if len(digest) > algorithm+12 {
		return digest[algorithm : algorithm+12]
	}
	return digest
}
