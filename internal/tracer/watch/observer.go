package watch

// Mode is how a list is asked for.
type Mode string

const (
	// Streamed lists are watches that begin with everything there is. For the API server they are no list calls, and cost far less.
	Streamed Mode = "streamed"
	// Paged lists come in parts.
	Paged Mode = "paged"
)

// Reason is why a watch, or the attempt at one, ended.
type Reason string

const (
	// Closed is the end that the API server gives every watch after some minutes.
	Closed Reason = "closed"
	// Dropped is a connection that failed, or could not be made.
	Dropped Reason = "dropped"
	// Silent is a connection on which nothing came for longer than it can take.
	Silent Reason = "silent"
	// Expired means that the API server no longer knows what changed since: everything is asked for anew.
	Expired Reason = "expired"
	// Throttled means that the API server asked for patience.
	Throttled Reason = "throttled"
	// Refused means that the kind may not be read.
	Refused Reason = "forbidden"
	// Absent means that the API server does not have the kind.
	Absent Reason = "missing"
	// Unsupported means that the API server does not stream lists: they are asked for in pages.
	Unsupported Reason = "unsupported"
	// Failed is any other error of the API server, and an answer that makes no sense.
	Failed Reason = "error"
)

// Reasons are all of them, for those who count.
func Reasons() []Reason {
	return []Reason{Closed, Dropped, Silent, Expired, Throttled, Refused, Absent, Unsupported, Failed}
}

// Observer is told of what a Watcher does, so that it can be counted. It is called from the goroutine of Run and must return at once.
type Observer interface {
	// StateChanged gives the state that the watcher is in now.
	StateChanged(state State)
	// Listed says that a list is complete.
	Listed(mode Mode)
	// Watched says that the API server accepted a watch.
	Watched()
	// Restarted says that an attempt ended, and will be made again.
	Restarted(reason Reason)
	// Received gives the size of an object that came, before it is handed on.
	Received(bytes int)
}

// nobody is the observer where there is none.
type nobody struct{}

var _ Observer = nobody{}

func (nobody) StateChanged(State) {}
func (nobody) Listed(Mode)        {}
func (nobody) Watched()           {}
func (nobody) Restarted(Reason)   {}
func (nobody) Received(int)       {}
