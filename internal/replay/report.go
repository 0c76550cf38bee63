package replay

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// EventReport says how one event went.
type EventReport struct {
	// Index counts the events of the plan from 0.
	Index int
	// TraceTime is when it happened in the trace, Due when it was to happen in the replay, pauses included.
	TraceTime, Due time.Time
	// Started is when the request for its last object was sent, Done when the last of them was answered.
	Started, Done time.Time
	// Lag is Started - Due, at least 0.
	Lag time.Duration
	// Applied and Deleted are the numbers of objects with which that succeeded.
	Applied, Deleted int
	Problems         []Problem
}

// Category says what kind of problem it was.
type Category string

// The categories of problems.
const (
	// UnknownKind is a kind the cluster does not have.
	UnknownKind Category = "unknownKind"
	// Rejected is an object that the API server refused, by its validation or by admission.
	Rejected Category = "rejected"
	// Immutable is a change the API server does not allow on an object that exists.
	Immutable Category = "immutable"
	// NotOurs is a name that is taken by something which is not of the simulation, and was left alone.
	NotOurs Category = "notOurs"
	// AbsentOnDelete is an object that was to be deleted and did not exist.
	AbsentOnDelete Category = "absentOnDelete"
	// LeftOut is an object that would act on other workloads of a shared cluster, and is not
	// replayed there. It does not end a run with Options.FailFast.
	LeftOut Category = "leftOut"
	// Malformed is an object of the trace that cannot be made into one to apply.
	Malformed Category = "malformed"
	// Other is anything else: requests that failed until there was no more time to try.
	Other Category = "other"
)

// Verb is what was to be done with an object.
type Verb string

// The verbs.
const (
	Apply  Verb = "apply"
	Delete Verb = "delete"
)

// Problem is an object with which something went wrong. None stops a replay, unless Options.FailFast is set: then the
// first does.
type Problem struct {
	// Event is the index of the event, Time its time in the trace.
	Event int
	Time  time.Time
	GVK   schema.GroupVersionKind
	// Namespace and Name are those of the trace.
	Namespace, Name string
	Verb            Verb
	Category        Category
	// Message says why, in the words of the API server where it spoke.
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

// MaxProblems is how many problems a Report keeps. The rest are only counted.
const MaxProblems = 1000

// Report says how a replay went.
type Report struct {
	// Events, Applied and Deleted are the numbers of those done.
	Events, Applied, Deleted int
	// Clones is how often an interrupted bare pod was started again.
	Clones int
	// Problems are the first MaxProblems; ProblemCounts counts all.
	Problems      []Problem
	ProblemCounts map[Category]int
	// Isolated says what was changed in objects to keep them apart from the other workloads of a
	// shared cluster, and in how many.
	Isolated map[string]int
}
