#!/usr/bin/env bash
# SOLUTION: a new key makes room before it comes in, and one that is known changes its value and its place, and nothing else.
# VERIFIES: the order of things that nobody asked for is left to the solution.
# SAMPLE: hashicorp__golang-lru-2.0.6
# TAMPERING: none
cat > /tmp/new.go <<'GO'
func (c *LRU[K, V]) Add(key K, value V) (evicted bool) {
	switch ent := c.items[key]; {
	case ent != nil:
		ent.Value = value
		c.evictList.MoveToFront(ent)
	case len(c.items) >= c.size:
		evicted = true
		c.removeOldest()
		fallthrough
	default:
		c.items[key] = c.evictList.PushFront(key, value)
	}
	return evicted
}
GO
sed -i -e '/^func (c \*LRU\[K, V\]) Add(/,/^}/{/^}/r /tmp/new.go' -e 'd}' simplelru/lru.go
