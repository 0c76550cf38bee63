package replay

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// made has the UIDs of the objects that a run has applied, by their key in the trace: a deletion is
// only for the object that was applied, whichever object has its name by then. It is safe for
// concurrent use.
type made struct {
	mu sync.Mutex
	// uids are the UIDs by namespace of the trace, which is empty for cluster-scoped objects.
	uids map[string]map[objectKey]types.UID
	// headless are the UIDs of the Services without an address.
	headless map[types.UID]bool
	// expiring are the Jobs that the cluster deletes when they have ended.
	expiring map[objectKey]bool
}

func newMade() *made {
	return &made{uids: map[string]map[objectKey]types.UID{}, headless: map[types.UID]bool{}, expiring: map[objectKey]bool{}}
}

func (m *made) add(key objectKey, uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	in := m.uids[key.namespace]
	if in == nil {
		in = map[objectKey]types.UID{}
		m.uids[key.namespace] = in
	}
	in[key] = uid
}

// setHeadless notes whether a Service has no address.
func (m *made) setHeadless(uid types.UID, headless bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if headless {
		m.headless[uid] = true
	} else {
		delete(m.headless, uid)
	}
}

// isHeadless reports whether a Service that the run applied has no address.
func (m *made) isHeadless(key objectKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	uid := m.uids[key.namespace][key]
	return uid != "" && m.headless[uid]
}

// uid returns the UID of an object, or the empty UID if this run has not applied it.
func (m *made) uid(key objectKey) types.UID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.uids[key.namespace][key]
}

func (m *made) forget(key objectKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.uids[key.namespace], key)
}

// forgetNamespace removes all objects of a namespace of the trace that was deleted.
func (m *made) forgetNamespace(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.uids, name)
}

// setExpiring notes whether the cluster deletes a Job when it has ended.
func (m *made) setExpiring(key objectKey, expiring bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if expiring {
		m.expiring[key] = true
	} else {
		delete(m.expiring, key)
	}
}

// expires reports whether the cluster deletes an object that the run applied.
func (m *made) expires(key objectKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.expiring[key]
}
