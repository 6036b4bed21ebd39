// Package image pulls, loads, unpacks and shares OCI image layers.
//
// An image is ready to run as soon as Load or Pull returns: its layers are
// unpacked, each once, whatever images and sandboxes share it. The compressed
// layers are not kept; a later pull fetches only the layers that are missing.
//
// # On disk
//
//	store.json                  version and id shift
//	index.json                  the images and their names
//	blobs/sha256/HEX            manifests and configs, as they came
//	layers/sha256/HEX/fs        an unpacked layer, by the digest of its uncompressed tar
//	layers/sha256/HEX/layer.json   what the tar did not leave in fs
//	covers/sha256/HEX/fs        see cover.go, by manifest digest
//	leases/OWNER.json           who uses which layers, restarts included
//	partial/sha256-HEX          compressed layers on their way here
//	tmp/                        layers being unpacked or removed
//	locks/                      see below
//
// What has its final name is whole: it was verified, written to disk and then
// renamed. What is in tmp was left by a process that died, and is swept at Open.
//
// # Locks
//
// All locks are flock(2) on files, and so hold between processes (the server,
// and `assay image load` beside it) as well as between goroutines. In the order
// in which they are taken:
//
//	content   shared while images come in, exclusive while content is swept
//	DIGEST    exclusive while one layer is fetched and unpacked, then its blob
//	index     exclusive while index.json, leases or the set of layers change; short
package image

import (
	"errors"
	"fmt"
	"time"

	"assay/internal/image/unpack"
)

// Errors that callers tell apart.
var (
	// ErrNotFound says that the store has no such image. Its message tells how
	// to get it.
	ErrNotFound = errors.New("image not found")
	// ErrAmbiguous says that a short id names several images.
	ErrAmbiguous = errors.New("ambiguous image id")
	// ErrInUse says that a live lease holds the image.
	ErrInUse = errors.New("image is in use")
	// ErrUnsafe says that an image holds what no honest image holds.
	ErrUnsafe = unpack.ErrUnsafe
	// ErrLimit says that an image is larger than the limits allow.
	ErrLimit = unpack.ErrLimit
	// ErrDigest says that content is not what its digest promised.
	ErrDigest = errors.New("content does not match its digest")
	// ErrUnsupported says that an image is well-formed but not for this store:
	// another platform, encrypted or foreign layers.
	ErrUnsupported = errors.New("unsupported image")
)

// IDShift maps the ids in layers to ids of the host. The zero value keeps them.
type IDShift = unpack.IDShift

// Limits bounds one layer.
type Limits = unpack.Limits

// Image is an image of the store. Digests are written "sha256:HEX".
type Image struct {
	Name           string    // that it was found by, else the first of Names
	Names          []string  // all it is known by here, sorted
	ManifestDigest string    // the config's digest where an archive had no manifest
	ConfigDigest   string    // what Docker calls the image id
	Size           int64     // bytes of its files, unpacked
	CreatedAt      time.Time // when it was built, by its own account; may be zero
	LoadedAt       time.Time // when it came here
	Config         Config
	Layers         []Layer // lowest first
}

// Config is what an image says about running it.
type Config struct {
	Env          []string // NAME=value
	WorkingDir   string
	User         string // user[:group], names or numbers
	Entrypoint   []string
	Cmd          []string
	Labels       map[string]string
	Architecture string // as Go names it
}

// Layer is a layer of an image.
type Layer struct {
	DiffID    string `json:"diff_id"`          // of the uncompressed tar
	Digest    string `json:"digest,omitempty"` // of the blob; empty where an archive had no manifest
	Size      int64  `json:"size,omitempty"`   // of the blob, bytes; 0 as above
	MediaType string `json:"media_type,omitempty"`
}

// RootFS is an image's layers, unpacked.
type RootFS struct {
	Image Image
	// Lower are the directories to give to overlayfs as lowerdir, topmost first,
	// absolute. They hold whiteouts and trusted.overlay xattrs, so mount them
	// without userxattr. With many layers their names are longer than the page
	// that mount(2) takes: use fsconfig(2) with "lowerdir+", or /proc/self/fd.
	Lower []string
}

// notFoundError is an ErrNotFound that knows the remedy.
type notFoundError struct{ ref string }

func (e *notFoundError) Error() string {
	return fmt.Sprintf("image %q is not in the store: fetch it with `assay image pull %s`, or load it with `assay image load FILE-OR-LAYOUT`", e.ref, e.ref)
}

func (e *notFoundError) Is(target error) bool { return target == ErrNotFound }
