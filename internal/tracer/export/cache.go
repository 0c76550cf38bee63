package export

// cache keeps the most recent entries: at least most of them, and at most twice as many.
type cache[K comparable, V any] struct {
	most       int
	young, old map[K]V
}

func newCache[K comparable, V any](most int) *cache[K, V] {
	return &cache[K, V]{most: most, young: map[K]V{}}
}

func (c *cache[K, V]) get(key K) (V, bool) {
	v, ok := c.young[key]
	if !ok {
		v, ok = c.old[key]
	}
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) {
	if len(c.young) >= c.most {
		if _, there := c.young[key]; !there {
			c.young, c.old = make(map[K]V, c.most), c.young
		}
	}
	c.young[key] = v
}

func (c *cache[K, V]) drop(key K) {
	delete(c.young, key)
	delete(c.old, key)
}
