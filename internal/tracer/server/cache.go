package server

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	allowedFor   = time.Minute
	refusedFor   = 10 * time.Second
	knownFor     = 10 * time.Minute
	maxDecisions = 1024
)

// tokenHash is stored in place of a token.
type tokenHash [sha256.Size]byte

// decisionKey is what a decision is about.
type decisionKey struct {
	token      tokenHash
	verb, path string
}

// expiringCache is a cache of values that expire. It has at most maxDecisions values, and evicts
// the oldest. It is safe for concurrent use.
type expiringCache[K comparable, V any] struct {
	clock clock.PassiveClock

	mu      sync.Mutex          // guards what is below
	entries map[K]*list.Element // of order
	order   list.List           // of cacheEntry[K, V], the oldest first
}

type cacheEntry[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

func (c *expiringCache[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return value, false
	}
	entry := element.Value.(cacheEntry[K, V])
	if !c.clock.Now().Before(entry.until) {
		c.remove(element)
		return value, false
	}
	return entry.value, true
}

func (c *expiringCache[K, V]) put(key K, value V, keep time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[key]; ok {
		c.remove(old)
	}
	if c.entries == nil {
		c.entries = map[K]*list.Element{}
	}
	if c.order.Len() >= maxDecisions {
		c.remove(c.order.Front())
	}
	c.entries[key] = c.order.PushBack(cacheEntry[K, V]{key, value, c.clock.Now().Add(keep)})
}

func (c *expiringCache[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
}

func (c *expiringCache[K, V]) remove(element *list.Element) {
	delete(c.entries, c.order.Remove(element).(cacheEntry[K, V]).key)
}
