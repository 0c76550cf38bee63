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

// recent is a cache of values with expiry. It has at most maxDecisions values, and evicts the
// oldest. It is safe for concurrent use.
type recent[K comparable, V any] struct {
	clock clock.PassiveClock

	mu      sync.Mutex          // guards what is below
	entries map[K]*list.Element // of order
	order   list.List           // of recentEntry[K, V], the oldest first
}

type recentEntry[K comparable, V any] struct {
	key   K
	value V
	until time.Time
}

func (c *recent[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return value, false
	}
	entry := element.Value.(recentEntry[K, V])
	if !c.clock.Now().Before(entry.until) {
		c.remove(element)
		return value, false
	}
	return entry.value, true
}

func (c *recent[K, V]) put(key K, value V, keep time.Duration) {
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
	c.entries[key] = c.order.PushBack(recentEntry[K, V]{key, value, c.clock.Now().Add(keep)})
}

func (c *recent[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
}

func (c *recent[K, V]) remove(element *list.Element) {
	delete(c.entries, c.order.Remove(element).(recentEntry[K, V]).key)
}
