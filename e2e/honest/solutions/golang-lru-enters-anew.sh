#!/usr/bin/env bash
# SOLUTION: the entry of a key that is known is taken out of the list without a word, and a new one goes to the front.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: hashicorp__golang-lru-2.0.6
# TAMPERING: none
cat > /tmp/new.go <<'GO'
func (c *LRU[K, V]) Add(key K, value V) (evicted bool) {
	old, known := c.items[key]
	if known {
		c.evictList.Remove(old)
	}
	c.items[key] = c.evictList.PushFront(key, value)
	if evicted = c.evictList.Length() > c.size; evicted {
		c.removeOldest()
	}
	return evicted
}
GO
sed -i -e '/^func (c \*LRU\[K, V\]) Add(/,/^}/{/^}/r /tmp/new.go' -e 'd}' simplelru/lru.go
