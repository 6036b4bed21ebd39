package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Use is what a store holds.
type Use struct {
	Images int
	Layers int
	Bytes  int64 // of the layers' files, unpacked
}

// Use tells what the store holds. It reads the index and what is known of each layer, and
// no layer.
func (s *Store) Use(ctx context.Context) (Use, error) {
	idx, err := s.readIndex()
	if err != nil {
		return Use{}, err
	}
	layers, err := os.ReadDir(s.path("layers/sha256"))
	if err != nil {
		return Use{}, fmt.Errorf("look at the layers: %w", err)
	}
	use := Use{Images: len(idx.Images)}
	for _, layer := range layers {
		if err := ctx.Err(); err != nil {
			return Use{}, err
		}
		meta, err := s.readLayer("sha256:" + layer.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned meanwhile
		}
		if err != nil {
			return Use{}, err
		}
		use.Layers++
		use.Bytes += meta.Bytes
	}
	return use, nil
}
