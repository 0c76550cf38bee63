package watch

// Mode is how a list is requested.
type Mode string

const (
	// Streamed lists are watches that begin with all existing objects. They cost the API server far
	// less than list calls.
	Streamed Mode = "streamed"
	// Paged lists consist of several responses.
	Paged Mode = "paged"
)

// Reason is why a watch, or an attempt to start one, ended.
type Reason string

const (
	// Closed means that the API server ended the watch, as it does after some minutes.
	Closed Reason = "closed"
	// Dropped means that a connection failed, or could not be established.
	Dropped Reason = "dropped"
	// Silent means that no data arrived on a connection for too long.
	Silent Reason = "silent"
	// Expired means that the API server no longer has the changes since the last version: all objects
	// are listed again.
	Expired Reason = "expired"
	// Throttled means that the API server asked to wait.
	Throttled Reason = "throttled"
	// Refused means that reading the kind is forbidden.
	Refused Reason = "forbidden"
	// Absent means that the API server does not have the kind.
	Absent Reason = "missing"
	// Unsupported means that the API server does not stream lists: they are requested in pages.
	Unsupported Reason = "unsupported"
	// Failed means any other error of the API server, or an invalid response.
	Failed Reason = "error"
)

// Reasons returns all reasons, for metrics.
func Reasons() []Reason {
	return []Reason{Closed, Dropped, Silent, Expired, Throttled, Refused, Absent, Unsupported, Failed}
}

// Observer is notified of the actions of a Watcher, for metrics. It is called from the goroutine of
// Run and must return at once.
type Observer interface {
	// StateChanged is called with the new state.
	StateChanged(state State)
	// Listed is called when a list is complete.
	Listed(mode Mode)
	// Watched is called when the API server accepted a watch.
	Watched()
	// Restarted is called when an attempt ended and will be repeated.
	Restarted(reason Reason)
	// Received is called with the size of an object before it is passed on.
	Received(bytes int)
}

// noObserver is the default observer.
type noObserver struct{}

var _ Observer = noObserver{}

func (noObserver) StateChanged(State) {}
func (noObserver) Listed(Mode)        {}
func (noObserver) Watched()           {}
func (noObserver) Restarted(Reason)   {}
func (noObserver) Received(int)       {}
