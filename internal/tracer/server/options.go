package server

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
)

// Options say what a Server serves, and to whom.
type Options struct {
	// Exporter makes traces. It is required.
	Exporter Exporter
	// Storage writes traces to buckets. Nil: the server writes none, whatever is allowed.
	Storage Storage
	// CheckTransform says what is wrong with the text of a transformation. Nil: nothing is transformed here, and a request that asks for it is refused.
	CheckTransform func(text string) []simkubev1.Problem
	// Status gives the status, of which the server fills in the exports. It is required.
	Status func() simkubev1.TracerStatus
	// Ready tells what the tracer's readiness depends on. Nil: on nothing.
	Ready func() []ReadyCheck
	// Gatherer has the metrics. Nil: there are none.
	Gatherer prometheus.Gatherer

	// Allowed are the destinations that exports may be written to. Empty: none.
	Allowed []Destination
	// MaxExports is how many exports may run at once. 0: 2.
	MaxExports int

	// Authorizer decides about who asks. Nil: everybody may do everything, and the server listens on loopback addresses only.
	Authorizer Authorizer
	// Insecure lets a server without an Authorizer listen on any address.
	Insecure bool
	// TLS, if not nil, is how connections are encrypted; see [CertificateFiles].
	TLS *tls.Config

	// StallTimeout ends an export whose client takes nothing for so long. 0: 1 minute.
	StallTimeout time.Duration
	// ShutdownTimeout is how long running exports may go on after the server was told to stop. 0: 20 seconds.
	ShutdownTimeout time.Duration
	// Clock measures how long exports take. Nil: the real one.
	Clock clock.PassiveClock
	// Logger gets what nobody else is told. It is required.
	Logger *slog.Logger
}

// Exporter makes traces. Its methods are called concurrently.
type Exporter interface {
	// Export writes the trace that a valid request asks for. It does not look at ExportPath. A request that it finds to be
	// wrong after all is a [*RequestError]. It ends early with an error when ctx does. An error of the writer is passed on.
	Export(ctx context.Context, request simkubev1.ExportRequest, w io.Writer) (Summary, error)
}

// Summary says what is in an exported trace.
type Summary struct {
	Events, Objects int64
	// Start is the time of the first event in unix seconds.
	Start int64
}

// Storage writes objects into buckets.
type Storage interface {
	// Create starts to write the object at a URL, which is on the allow list. The object appears with Commit. Errors name the URL. The error is, or wraps, ErrNoLocation when
	// the bucket does not exist; this may also be found out later, by Write or Commit. When ctx ends, the upload fails.
	Create(ctx context.Context, url string) (Upload, error)
}

// Upload is an object that is being written. Each one ends with Commit or Abort; after an error of Commit, Abort is called.
type Upload interface {
	io.Writer
	// Commit makes the object appear, complete.
	Commit() error
	// Abort leaves nothing of the object behind. It may be called more than once.
	Abort() error
}

// ReadyCheck is one thing that readiness depends on.
type ReadyCheck struct {
	// Name is a word, such as "log" or "apps/v1.Deployment".
	Name string
	OK   bool
	// Optional checks are shown, and do not make the tracer unready.
	Optional bool
	// Detail says why it is not OK.
	Detail string
}

// Authorizer decides who may do what.
type Authorizer interface {
	// Authorize says who the bearer of a token is and whether they may use a verb (get, post) on a path. An error means
	// that this could not be found out: then the answer is no.
	Authorize(ctx context.Context, token, verb, path string) (Decision, error)
}

// Decision is what an Authorizer says.
type Decision struct {
	// User is the bearer's name. Empty: the token is not valid.
	User string
	// Allowed says whether the user may do it.
	Allowed bool
	// Reason says why or why not, where that is known.
	Reason string
}
