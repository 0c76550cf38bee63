package tracer

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"simkube.io/simkube/internal/tracer/log"
)

// lagSample measures the time from an event's arrival until it is durable, for one event at a time.
// That is often enough, and costs nothing for the others.
type lagSample struct {
	clock clock.PassiveClock
	lags  prometheus.Observer

	mu      sync.Mutex // guards the following
	upTo    log.Seq    // durable
	seq     log.Seq    // being measured; 0 if none is
	arrived time.Time
}

// take starts a measurement, if none is in progress.
func (l *lagSample) take(seq log.Seq, arrived time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seq == 0 && seq > l.upTo {
		l.seq, l.arrived = seq, arrived
	}
}

// durable must be called with the last durable number.
func (l *lagSample) durable(upTo log.Seq) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.upTo = upTo
	if l.seq != 0 && l.seq <= upTo {
		l.lags.Observe(l.clock.Since(l.arrived).Seconds())
		l.seq = 0
	}
}
