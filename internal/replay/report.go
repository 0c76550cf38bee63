package replay

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// EventReport is the result of one event.
type EventReport struct {
	// Index is the index of the event in the plan, from 0.
	Index int
	// TraceTime is when the event happened in the trace, Due when it was due in the replay, including
	// pauses.
	TraceTime, Due time.Time
	// Started is when the request for the last object was sent, Done when the last object was done.
	Started, Done time.Time
	// Lag is Started - Due, at least 0.
	Lag time.Duration
	// Applied and Deleted are the numbers of objects that were applied and deleted.
	Applied, Deleted int
	Problems         []Problem
}

// Category is the category of a problem.
type Category string

// The categories of problems.
const (
	// UnknownKind is a kind that the cluster does not have.
	UnknownKind Category = "unknownKind"
	// Rejected is an object that the API server rejected, by validation or by admission.
	Rejected Category = "rejected"
	// Immutable is a change of an existing object that the API server does not allow.
	Immutable Category = "immutable"
	// NotOurs is a name that an object outside of the simulation has, which was not changed.
	NotOurs Category = "notOurs"
	// AbsentOnDelete is an object to delete that does not exist.
	AbsentOnDelete Category = "absentOnDelete"
	// LeftOut is an object that would affect other workloads of a shared cluster and is not replayed
	// there. It does not end a run with Options.FailFast.
	LeftOut Category = "leftOut"
	// Malformed is an object of the trace from which no valid object to apply can be made.
	Malformed Category = "malformed"
	// Other is any other error, after all retries.
	Other Category = "other"
)

// Verb is what a task does with an object.
type Verb string

// The verbs.
const (
	Apply  Verb = "apply"
	Delete Verb = "delete"
)

// Problem is an object that could not be applied or deleted. Without Options.FailFast, problems do
// not stop a replay.
type Problem struct {
	// Event is the index of the event, Time its time in the trace.
	Event int
	Time  time.Time
	GVK   schema.GroupVersionKind
	// Namespace and Name are those in the trace.
	Namespace, Name string
	Verb            Verb
	Category        Category
	// Message is the cause, as returned by the API server if there was a response.
	Message string
}

// fails reports whether the problem ends a run with Options.FailFast.
func (p *Problem) fails() bool { return p.Category != LeftOut }

// ProblemError is the error of a Run that ended at its first Problem.
type ProblemError struct{ Problem Problem }

func (e *ProblemError) Error() string {
	p := e.Problem
	return fmt.Sprintf("event %d: %s %s %s: %s: %s",
		p.Event, p.Verb, trace.FormatGVK(p.GVK), trace.NamespacedName(p.Namespace, p.Name), p.Category, p.Message)
}

// MaxProblems is how many problems a Report has. Further problems are only counted.
const MaxProblems = 1000

// Report is the result of a run.
type Report struct {
	// Events, Applied and Deleted are the numbers of events and objects that are done.
	Events, Applied, Deleted int
	// Clones is how many interrupted bare pods were rescheduled.
	Clones int
	// Problems are the first MaxProblems problems; ProblemCounts counts all.
	Problems      []Problem
	ProblemCounts map[Category]int
	// Replaced counts the objects that were deleted and created again because they had changed in a
	// way that the API server does not allow: in the recorded cluster, another object had the name.
	Replaced map[schema.GroupVersionKind]int
	// Isolated counts the objects that were changed to separate them from the other workloads of a
	// shared cluster, by description of the change.
	Isolated map[string]int
}
