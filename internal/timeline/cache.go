package timeline

import (
	"slices"
	"sync"

	"simkube.io/simkube/trace"
)

// cache keeps the events that were read last. It is safe for concurrent use.
type cache struct {
	mu sync.Mutex
	// entries are few, the one used last at the end.
	entries []cacheEntry
	bytes   int64
	room    int64
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

func newCache(room int64) cache {
	if room <= 0 {
		room = defaultCacheBytes
	}
	return cache{room: room}
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

// has tells whether an event is kept.
func (c *cache) has(number int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.entries, func(e cacheEntry) bool { return e.number == number })
}

// put keeps an event. It is kept also when it alone is larger than the room: what is looked at is looked at again.
func (c *cache) put(number int, event *trace.Event, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.entries, func(e cacheEntry) bool { return e.number == number }) {
		return // somebody else has read it meanwhile
	}
	c.entries = append(c.entries, cacheEntry{number: number, event: event, bytes: bytes})
	c.bytes += bytes
	drop := 0
	for len(c.entries)-drop > 1 && (c.bytes > c.room || len(c.entries)-drop > maxCacheEntries) {
		c.bytes -= c.entries[drop].bytes
		drop++
	}
	c.entries = slices.Delete(c.entries, 0, drop)
}
