package replay

import "sync"

// remaking has the namespaces that the run deleted. If one of them is created again, tasks for
// objects in it wait for that. It is safe for concurrent use.
type remaking struct {
	mu sync.Mutex
	// spaces are the namespaces that were deleted and not created since. The gate is nil if nothing
	// waits for the namespace.
	spaces map[string]*gate
}

func newRemaking() *remaking { return &remaking{spaces: map[string]*gate{}} }

// deleted notes that a namespace was deleted.
func (m *remaking) deleted(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spaces[name] = nil
}

// wasDeleted reports whether a namespace was deleted and not created again.
func (m *remaking) wasDeleted(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, found := m.spaces[name]
	return found
}

// begin makes tasks wait for a namespace that is still being deleted.
func (m *remaking) begin(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spaces[name] == nil {
		m.spaces[name] = &gate{}
	}
}

// gate returns what tasks for objects in a namespace wait for, or nil.
func (m *remaking) gate(name string) *gate {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spaces[name]
}

// end notes that a namespace was created, or could not be. It returns the gate of the tasks that
// wait for it, or nil.
func (m *remaking) end(name string) *gate {
	m.mu.Lock()
	defer m.mu.Unlock()
	gate := m.spaces[name]
	delete(m.spaces, name)
	return gate
}
