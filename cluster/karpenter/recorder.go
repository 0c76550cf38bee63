package karpenter

import (
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	"sigs.k8s.io/karpenter/pkg/events"
)

// recorder logs Karpenter's events, and records the decisions that they are about. They do not
// become Kubernetes events, whose names contain the time and collide on a clock that stands still.
type recorder struct {
	clock     clock.PassiveClock
	log       logr.Logger
	decisions *decisions

	mu   sync.Mutex
	last map[string]time.Time // by object, reason and message
}

// repeatAfter is how long an event is not logged again.
const repeatAfter = 10 * time.Minute

func newRecorder(c clock.PassiveClock, log logr.Logger, d *decisions) *recorder {
	return &recorder{clock: c, log: log, decisions: d, last: map[string]time.Time{}}
}

// Publish implements events.Recorder.
func (r *recorder) Publish(all ...events.Event) {
	for _, e := range all {
		r.decisions.event(e)
		object, err := meta.Accessor(e.InvolvedObject)
		if err != nil || !r.first(object.GetNamespace()+"/"+object.GetName()+" "+e.Reason+" "+e.Message) {
			continue
		}
		r.log.Info(e.Message, "reason", e.Reason, "namespace", object.GetNamespace(), "name", object.GetName())
	}
}

func (r *recorder) first(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	if last, ok := r.last[key]; ok && now.Sub(last) < repeatAfter {
		return false
	}
	for key, last := range r.last {
		if now.Sub(last) >= repeatAfter {
			delete(r.last, key)
		}
	}
	r.last[key] = now
	return true
}
