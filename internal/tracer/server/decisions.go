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
	maxDecisions = 1024
)

// decisionKey is what a decision is about. Of a token, only a hash is kept.
type decisionKey struct {
	token      [sha256.Size]byte
	verb, path string
}

// decisionCache keeps decisions for a short time, and the latest of them if they are too many. It is safe for concurrent use.
type decisionCache struct {
	clock clock.PassiveClock

	mu      sync.Mutex                    // guards what is below
	entries map[decisionKey]*list.Element // of order
	order   list.List                     // of cachedDecision, the oldest first
}

type cachedDecision struct {
	key      decisionKey
	decision Decision
	until    time.Time
}

func (c *decisionCache) get(key decisionKey) (Decision, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return Decision{}, false
	}
	entry := element.Value.(cachedDecision)
	if !c.clock.Now().Before(entry.until) {
		c.remove(element)
		return Decision{}, false
	}
	return entry.decision, true
}

func (c *decisionCache) put(key decisionKey, d Decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.entries[key]; ok {
		c.remove(old)
	}
	if c.entries == nil {
		c.entries = map[decisionKey]*list.Element{}
	}
	if c.order.Len() >= maxDecisions {
		c.remove(c.order.Front())
	}
	keep := refusedFor
	if d.Allowed {
		keep = allowedFor
	}
	c.entries[key] = c.order.PushBack(cachedDecision{key, d, c.clock.Now().Add(keep)})
}

func (c *decisionCache) remove(element *list.Element) {
	delete(c.entries, c.order.Remove(element).(cachedDecision).key)
}
