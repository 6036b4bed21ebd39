package catalog

import (
	"context"

	"assay"
	"assay/internal/alteration/search"
)

// Rules are those by which searches are made now: what was found by others counts no more.
const Rules = search.Rules

// KeyOf returns the key under which what is found of a sample is stored, as it is and on the
// image that its reference names now.
func (c *Catalog) KeyOf(ctx context.Context, sample *assay.Sample) (Key, error) {
	return c.keyOf(ctx, sample)
}

// Searched tells whether a search came to its end under a key. It opens nothing.
func (c *Catalog) Searched(ctx context.Context, key Key) (bool, error) {
	_, err := c.cfg.Store.Alterations(ctx, key)
	if assay.CodeOf(err) == assay.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}
