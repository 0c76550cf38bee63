package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
)

// protect passes a request on only if the caller may use the path access, which may differ from the
// path of the request.
func (s *Server) protect(access string, next http.Handler) http.Handler {
	if s.opts.Authorizer == nil {
		return s.protectFromPages(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verb := strings.ToLower(r.Method)
		token, ok := bearerToken(r)
		if !ok {
			s.challenge(w, fmt.Sprintf("%s %s requires a token: send the header Authorization: Bearer TOKEN with one of a Kubernetes user or ServiceAccount", r.Method, r.URL.Path))
			return
		}
		ctx := context.WithValue(r.Context(), addressKey{}, r.RemoteAddr)
		decision, err := s.opts.Authorizer.Authorize(ctx, token, verb, access)
		switch {
		case errors.Is(err, errTooManyWaiting):
			w.Header().Set("Retry-After", waitingRetryAfter)
			s.fail(w, http.StatusServiceUnavailable, err.Error())
		case err != nil:
			s.opts.Logger.ErrorContext(r.Context(), "check a token", "path", r.URL.Path, "error", err)
			s.fail(w, http.StatusServiceUnavailable, fmt.Sprintf("cannot determine whether %s %s is allowed: %v", r.Method, r.URL.Path, err))
		case decision.User == "":
			s.challenge(w, "the cluster does not accept the token; it may have expired, or be of another cluster")
		case !decision.Allowed:
			message := fmt.Sprintf("user %q is not allowed to %s the path %s; a ClusterRole with nonResourceURLs: [%q] and verbs: [%q], bound to the user, allows it",
				decision.User, verb, r.URL.Path, access, verb)
			if decision.Reason != "" {
				message += " (" + decision.Reason + ")"
			}
			s.opts.Logger.InfoContext(r.Context(), "request denied", "user", decision.User, "verb", verb, "path", r.URL.Path)
			s.fail(w, http.StatusForbidden, message)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, decision.User)))
		}
	})
}

// waitingRetryAfter is the value of Retry-After, in seconds, if too many requests were waiting.
const waitingRetryAfter = "5"

// addressKey is the context key of the remote address of a request, for a TokenAuthorizer.
type addressKey struct{}

// callerAddress returns the remote address of a request, without the port.
func callerAddress(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// userKey is the context key of the name of the authenticated user.
type userKey struct{}

// loggerFor returns a logger with the name of the user, if it is known.
func (s *Server) loggerFor(ctx context.Context) *slog.Logger {
	if user, ok := ctx.Value(userKey{}).(string); ok {
		return s.opts.Logger.With("user", user)
	}
	return s.opts.Logger
}

func (s *Server) challenge(w http.ResponseWriter, message string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="sk-tracer"`)
	s.fail(w, http.StatusUnauthorized, message)
}

// bearerToken returns the token of a request.
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// protectFromPages prevents pages in a browser on this machine from using a server without
// authentication: they can neither send it cross-origin requests, nor read its responses through a
// host name that resolves to this machine.
func (s *Server) protectFromPages(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := origins.Check(r); err != nil {
			s.fail(w, http.StatusForbidden, "cross-origin requests are not allowed: "+err.Error())
			return
		}
		if !s.opts.Insecure && !isLocalHost(r.Host) {
			s.fail(w, http.StatusForbidden, fmt.Sprintf("the host name must be localhost, not %q; with --auth token or --insecure any name is allowed", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocalHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	return strings.EqualFold(name, "localhost") || isLoopback(name)
}
