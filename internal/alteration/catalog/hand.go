package catalog

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"assay"
	"assay/internal/alteration/search"
)

// Deal returns what is known of a sample, for a play; nil for nothing. sealed is the same for
// Dealt, so that a play that is begun again goes on with what it began with.
func (c *Catalog) Deal(ctx context.Context, sample *assay.Sample, play string) (hand *search.Hand, sealed []byte, err error) {
	key, err := c.KeyOf(ctx, sample)
	if err != nil {
		return nil, nil, err
	}
	k, err := c.stored(ctx, key)
	if err != nil || k == nil {
		return nil, nil, err
	}
	times, err := c.cfg.Store.Shown(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	hand = &search.Hand{Result: k.Result}
	for i := range hand.Result.Alterations {
		hand.Shown = append(hand.Shown, times[c.nameOf(&hand.Result.Alterations[i])])
	}
	sealed, err = c.seal.seal(hand, handOf(play))
	return hand, sealed, err
}

// Dealt opens what a play was dealt; nil if it cannot be opened, as with another key.
func (c *Catalog) Dealt(ctx context.Context, sealed []byte, play string) *search.Hand {
	hand := new(search.Hand)
	if err := c.seal.open(sealed, handOf(play), hand); err != nil {
		c.cfg.Log.WarnContext(ctx, "what a play was dealt cannot be opened; it is dealt anew", "play", play, "err", err)
		return nil
	}
	return hand
}

func handOf(play string) string { return fmt.Sprintf("hand of %q", play) }

// NoteShown counts how often a play showed its alterations.
func (c *Catalog) NoteShown(ctx context.Context, sample *assay.Sample, hand *search.Hand, shown []int) error {
	times := make(map[string]int)
	for i, n := range shown {
		if n > 0 && i < len(hand.Result.Alterations) {
			times[c.nameOf(&hand.Result.Alterations[i])] += n
		}
	}
	if len(times) == 0 {
		return nil
	}
	return c.cfg.Store.NoteShown(ctx, Key{Dataset: sample.Dataset, SampleID: sample.ID, SampleVersion: sample.Version}, times)
}

// nameOf names an alteration to who has the key, whatever search found it.
func (c *Catalog) nameOf(a *search.Alteration) string {
	mac := hmac.New(sha256.New, c.cfg.Key)
	fmt.Fprintf(mac, "shown %q %d %d %q", a.Edit.File, a.Edit.Start, a.Edit.End, a.Edit.New)
	const enough = 16
	return hex.EncodeToString(mac.Sum(nil)[:enough])
}
