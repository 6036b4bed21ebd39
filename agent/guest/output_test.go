package guest

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestCapture(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for limit := range int64(40) {
		for range 50 {
			c := newCapture(limit)
			var all []byte
			for range rng.IntN(12) {
				p := make([]byte, rng.IntN(15))
				for i := range p {
					p[i] = byte(rng.Uint32())
				}
				c.write(p)
				all = append(all, p...)
			}
			head := all[:min(int64(len(all)), limit-limit/2)]
			rest := all[len(head):]
			tail := rest[max(0, int64(len(rest))-limit/2):]
			out := c.output()
			if !bytes.Equal(out.Head, head) || !bytes.Equal(out.Tail, tail) || out.Total != int64(len(all)) {
				t.Fatalf("limit %d of % x: %+v", limit, all, out)
			}
			if int64(cap(c.head)+cap(c.tail)) > limit {
				t.Fatalf("limit %d: took %d and %d bytes", limit, cap(c.head), cap(c.tail))
			}
		}
	}
}
