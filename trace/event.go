package trace

// Event is what happened in one second: the objects that were created or changed, then those that
// were deleted. The first event of a trace holds everything that existed when it starts.
type Event struct {
	// Time is in unix seconds.
	Time int64
	// Applied are whole manifests.
	Applied []Object
	// Deleted are only apiVersion, kind, and name and namespace in metadata; old files may have whole manifests.
	Deleted []Object
}

// Clone gives a copy that stays valid when the Reader it came from moves on.
func (e *Event) Clone() Event {
	c := Event{Time: e.Time, Applied: make([]Object, len(e.Applied)), Deleted: make([]Object, len(e.Deleted))}
	for i := range e.Applied {
		c.Applied[i] = e.Applied[i].Clone()
	}
	for i := range e.Deleted {
		c.Deleted[i] = e.Deleted[i].Clone()
	}
	return c
}
