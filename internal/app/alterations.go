package app

import (
	"assay/internal/alteration/catalog"
)

// Alterations returns what this server knows of alterations of its samples' tests. It makes
// the key that seals them, the first time.
func (a *App) Alterations() (*catalog.Catalog, error) {
	key, err := a.dir.secret("alterations.key")
	if err != nil {
		return nil, err
	}
	return catalog.New(catalog.Config{Store: a.store, Samples: a.Datasets, Key: key, ImageDigest: a.trees().digest})
}
