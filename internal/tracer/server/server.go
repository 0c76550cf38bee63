package server

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/utils/clock"

	simkubev1 "simkube.io/simkube/api/v1"
)

const (
	defaultMaxExports      = 2
	defaultStallTimeout    = time.Minute
	defaultShutdownTimeout = 20 * time.Second
	// headerTimeout is the time limit for reading a request's header, bodyTimeout for reading all of
	// it.
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeaderBytes is the maximum size of a header. It allows for a token.
	maxHeaderBytes = 64 << 10
)

var _ http.Handler = (*Server)(nil)

// Server is the tracer's HTTP API.
type Server struct {
	opts    Options
	handler http.Handler
	slots   chan struct{} // holds one value per running export
}

// New returns a server, to be served by Run or any HTTP server.
func New(opts Options) (*Server, error) {
	if opts.Exporter == nil || opts.Status == nil || opts.Logger == nil {
		return nil, errors.New("the server needs an exporter, a status and a logger")
	}
	if opts.MaxExports < 0 {
		return nil, &ConfigError{fmt.Sprintf("--max-exports %d: must be at least 1", opts.MaxExports), "leave the flag out for 2"}
	}
	opts = opts.withDefaults()
	s := &Server{opts: opts, slots: make(chan struct{}, opts.MaxExports)}
	s.handler = s.routes()
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.MaxExports == 0 {
		o.MaxExports = defaultMaxExports
	}
	if o.StallTimeout == 0 {
		o.StallTimeout = defaultStallTimeout
	}
	if o.ShutdownTimeout == 0 {
		o.ShutdownTimeout = defaultShutdownTimeout
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Ready == nil {
		o.Ready = func() []ReadyCheck { return nil }
	}
	if o.Gatherer == nil {
		o.Gatherer = prometheus.NewRegistry()
	}
	return o
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// route is the handler of a path of the API, for one method.
type route struct {
	method  string
	handler http.Handler
	// access is the path that the caller must be authorized for. Empty means that no authorization is
	// required.
	access string
}

func (s *Server) routes() http.Handler {
	metrics := promhttp.HandlerFor(s.opts.Gatherer, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError,
	})
	routes := map[string]route{
		"/healthz":                 {http.MethodGet, http.HandlerFunc(health), ""},
		"/readyz":                  {http.MethodGet, http.HandlerFunc(s.ready), ""},
		"/openapi":                 {http.MethodGet, http.HandlerFunc(openAPI), ""},
		"/metrics":                 {http.MethodGet, metrics, "/metrics"},
		simkubev1.PathTracerStatus: {http.MethodGet, http.HandlerFunc(s.status), simkubev1.AccessTracerStatus},
		simkubev1.PathExport:       {http.MethodPost, http.HandlerFunc(s.export), simkubev1.PathExport},
	}
	for path, r := range routes {
		if r.access != "" {
			r.handler = s.protect(r.access, r.handler)
			routes[path] = r
		}
	}
	paths := strings.Join(slices.Sorted(maps.Keys(routes)), ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		route, ok := routes[r.URL.Path]
		switch {
		case !ok:
			s.fail(w, http.StatusNotFound, fmt.Sprintf("%s: unknown path; must be one of %s", r.URL.Path, paths))
		case r.Method != route.method && (r.Method != http.MethodHead || route.method != http.MethodGet):
			w.Header().Set("Allow", route.method)
			s.fail(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s requires the method %s, not %s", r.URL.Path, route.method, r.Method))
		default:
			route.handler.ServeHTTP(w, r)
		}
	})
}

// checkAddress returns an error if the server can be reached from other machines without
// authentication.
func (s *Server) checkAddress(addr net.Addr) error {
	if s.opts.Authorizer != nil || s.opts.Insecure || isLoopback(addr.String()) {
		return nil
	}
	return &ConfigError{
		Problem: fmt.Sprintf("the API, with everything that is recorded, would be open to everyone who can reach %s", addr),
		Remedy:  "require tokens with --auth token, listen on this machine only with --bind-address 127.0.0.1, or accept this with --insecure",
	}
}

// isLoopback reports whether an address, with or without a port, is a loopback address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
