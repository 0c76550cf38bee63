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

// Options are the options of a Server.
type Options struct {
	// Exporter makes traces. It is required.
	Exporter Exporter
	// Storage writes traces to buckets. If it is nil, the server cannot, whatever is allowed.
	Storage Storage
	// CheckTransform returns the problems of a transformation program. If it is nil, requests with a
	// transformation are rejected.
	CheckTransform func(text string) []simkubev1.Problem
	// Status returns the status; the server adds the exports. It is required.
	Status func() simkubev1.TracerStatus
	// Ready returns the readiness checks. Nil means that there are none.
	Ready func() []ReadyCheck
	// Gatherer has the metrics. Nil means that there are none.
	Gatherer prometheus.Gatherer

	// Allowed are the destinations that exports may be written to. Empty means none.
	Allowed []Destination
	// MaxExports is the maximum number of concurrent exports. 0 means 2.
	MaxExports int

	// Authorizer authorizes requests. If it is nil, everything is allowed, and the server listens on
	// loopback addresses only.
	Authorizer Authorizer
	// Insecure allows a server without an Authorizer to listen on any address.
	Insecure bool
	// TLS is the TLS configuration; nil means plain HTTP. See [serving.CertificateFiles].
	TLS *tls.Config

	// StallTimeout is how long a client may not read before its export is ended. 0 means 1 minute.
	StallTimeout time.Duration
	// ShutdownTimeout is how long running exports may continue after the server was stopped. 0 means
	// 20 seconds.
	ShutdownTimeout time.Duration
	// Clock measures the duration of exports. Nil means the real clock.
	Clock clock.PassiveClock
	// Logger logs errors that are not returned to a client, and every export. It is required.
	Logger *slog.Logger
}

// Exporter makes traces. Its methods are called concurrently.
type Exporter interface {
	// Export writes the trace for a validated request. It ignores ExportPath. It returns a
	// [*RequestError] if the request is invalid after all. It returns an error soon after ctx ends.
	// Errors of the writer are returned wrapped.
	Export(ctx context.Context, request simkubev1.ExportRequest, w io.Writer) (Summary, error)
}

// Summary is the statistics of an exported trace.
type Summary struct {
	Events, Objects int64
	// Start is the time of the first event in unix seconds.
	Start int64
	// Report is what the request left out, or nil if it neither selects namespaces nor has a program.
	Report *simkubev1.ExportReport
}

// Storage writes objects into buckets.
type Storage interface {
	// Create starts writing the object at a URL, which is on the allow list. The object appears with
	// Commit. Errors contain the URL. If the bucket does not exist, the error is or wraps
	// ErrNoLocation; Write or Commit may return this error, too. If ctx ends, the upload fails.
	Create(ctx context.Context, url string) (Upload, error)
}

// Upload is an object that is being written. Each one must be ended with Commit or Abort; after an
// error of Commit, Abort must be called.
type Upload interface {
	io.Writer
	// Commit makes the complete object appear.
	Commit() error
	// Abort removes everything of the object. It may be called more than once.
	Abort() error
}

// ReadyCheck is a readiness check.
type ReadyCheck struct {
	// Name is a word, such as "log" or "apps/v1.Deployment".
	Name string
	OK   bool
	// Optional checks are shown, but do not affect readiness.
	Optional bool
	// Detail is why it is not OK.
	Detail string
}

// Authorizer authorizes requests.
type Authorizer interface {
	// Authorize authenticates the bearer of a token and returns whether they may use a verb (get,
	// post) on a path. If there is an error, the request must be denied.
	Authorize(ctx context.Context, token, verb, path string) (Decision, error)
}

// Decision is the result of an Authorizer.
type Decision struct {
	// User is the bearer's name. Empty means that the token is invalid.
	User string
	// Allowed is whether the user is authorized.
	Allowed bool
	// Reason is the reason of the decision, if it is known.
	Reason string
}
