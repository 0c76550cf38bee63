package timeline

import (
	"slices"
	"sync"

	"simkube.io/simkube/trace"
)

// cache keeps the most recently used events. It is safe for concurrent use.
type cache struct {
	mu sync.Mutex
	// entries are in the order of their last use, the most recent at the end. There are few.
	entries  []cacheEntry
	bytes    int64
	maxBytes int64
}

type cacheEntry struct {
	number int
	event  *trace.Event
	bytes  int64
}

const (
	defaultCacheBytes = 16 << 20
	maxCacheEntries   = 64
)

func newCache(maxBytes int64) cache {
	if maxBytes <= 0 {
		maxBytes = defaultCacheBytes
	}
	return cache{maxBytes: maxBytes}
}

func (c *cache) get(number int) *trace.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.entries, func(e cacheEntry) bool { return e.number == number })
	if i < 0 {
		return nil
	}
	found := c.entries[i]
	c.entries = append(slices.Delete(c.entries, i, i+1), found)
	return found.event
}

// has reports whether an event is in the cache.
func (c *cache) has(number int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.entries, func(e cacheEntry) bool { return e.number == number })
}

// put adds an event. It is kept even if it alone exceeds the limit, since it is likely to be used
// again.
func (c *cache) put(number int, event *trace.Event, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.entries, func(e cacheEntry) bool { return e.number == number }) {
		return // another goroutine has added it meanwhile
	}
	c.entries = append(c.entries, cacheEntry{number: number, event: event, bytes: bytes})
	c.bytes += bytes
	drop := 0
	for len(c.entries)-drop > 1 && (c.bytes > c.maxBytes || len(c.entries)-drop > maxCacheEntries) {
		c.bytes -= c.entries[drop].bytes
		drop++
	}
	c.entries = slices.Delete(c.entries, 0, drop)
}
