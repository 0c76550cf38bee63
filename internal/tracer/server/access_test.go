package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	simkubev1 "simkube.io/simkube/api/v1"
)

type authorizerFunc func(token, verb, path string) (Decision, error)

func (f authorizerFunc) Authorize(_ context.Context, token, verb, path string) (Decision, error) {
	return f(token, verb, path)
}

func TestServer_Authorizer(t *testing.T) {
	s := newServer(t, Options{Authorizer: authorizerFunc(func(token, verb, path string) (Decision, error) {
		switch token {
		case "good":
			return Decision{User: "me", Allowed: true}, nil
		case "reader":
			return Decision{User: "reader", Allowed: verb == "get" && (path == "/status" || path == "/metrics"), Reason: "no rule"}, nil
		case "anybody": // allowed what system:discovery allows everyone
			return Decision{User: "anybody", Allowed: verb == "get" && strings.HasPrefix(path, "/api/")}, nil
		case "crowded":
			return Decision{}, errTooManyWaiting
		case "broken":
			return Decision{}, errors.New("the API server is away")
		}
		return Decision{}, nil
	})})
	for name, tc := range map[string]struct {
		method, path, header string
		code                 int
		want                 string
	}{
		"export":           {"POST", "/export", "Bearer good", 200, ""},
		"export, odd case": {"POST", "/export", "bearer   good", 200, ""},
		"status":           {"GET", "/api/v1/status", "Bearer reader", 200, ""},
		"anybody's status": {"GET", "/api/v1/status", "Bearer anybody", 403, `user "anybody" is not allowed to get the path /api/v1/status; a ClusterRole with nonResourceURLs: ["/status"] and verbs: ["get"], bound to the user, allows it`},
		"metrics":          {"GET", "/metrics", "Bearer reader", 200, ""},
		"health":           {"GET", "/healthz", "", 200, ""},
		"ready":            {"GET", "/readyz", "", 200, ""},
		"openapi":          {"GET", "/openapi", "", 200, ""},
		"no token":         {"POST", "/export", "", 401, "POST /export requires a token: send the header Authorization: Bearer TOKEN with one of a Kubernetes user or ServiceAccount"},
		"an empty token":   {"GET", "/metrics", "Bearer ", 401, "GET /metrics requires a token: send the header Authorization: Bearer TOKEN with one of a Kubernetes user or ServiceAccount"},
		"a password":       {"GET", "/api/v1/status", "Basic good", 401, "GET /api/v1/status requires a token: send the header Authorization: Bearer TOKEN with one of a Kubernetes user or ServiceAccount"},
		"a bad token":      {"POST", "/export", "Bearer bad", 401, "the cluster does not accept the token; it may have expired, or be of another cluster"},
		"not allowed":      {"POST", "/export", "Bearer reader", 403, `user "reader" is not allowed to post the path /export; a ClusterRole with nonResourceURLs: ["/export"] and verbs: ["post"], bound to the user, allows it (no rule)`},
		"too many":         {"POST", "/export", "Bearer crowded", 503, "too many requests with unknown tokens: try again in a few seconds"},
		"nobody knows":     {"POST", "/export", "Bearer broken", 503, "cannot determine whether POST /export is allowed: the API server is away"},
		"no such path":     {"GET", "/secret", "", 404, "/secret: unknown path; must be one of /api/v1/status, /export, /healthz, /metrics, /openapi, /readyz"},
		"wrong method":     {"GET", "/export", "", 405, "/export requires the method POST, not GET"},
		"a path that ends": {"GET", "/metrics/", "Bearer good", 404, "/metrics/: unknown path; must be one of /api/v1/status, /export, /healthz, /metrics, /openapi, /readyz"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(s, tc.method, tc.path, requestTo("x"), "Authorization", tc.header)
			if w.Code != tc.code {
				t.Errorf("status is %d, want %d: %s", w.Code, tc.code, w.Body)
			}
			if tc.want != "" {
				if diff := cmp.Diff(tc.want, errorOf(t, w).Message); diff != "" {
					t.Errorf("message (-want +got):\n%s", diff)
				}
			}
			if got := w.Header().Get("WWW-Authenticate"); (got == `Bearer realm="sk-tracer"`) != (w.Code == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate is %q with status %d", got, w.Code)
			}
		})
	}
}

// TestServer_Pages checks that pages in a browser cannot use a server without authentication.
func TestServer_Pages(t *testing.T) {
	for name, tc := range map[string]struct {
		insecure bool
		host     string
		headers  []string
		code     int
	}{
		"a program":                     {false, "localhost:7777", nil, 200},
		"a program, by address":         {false, "127.0.0.1:7777", nil, 200},
		"a program, by another address": {false, "[::1]:7777", nil, 200},
		"without a port":                {false, "[::1]", nil, 200},
		"a name that leads here":        {false, "evil.example:7777", nil, 403},
		"any name, if told so":          {true, "tracer.example:7777", nil, 200},
		"a page of another site":        {false, "localhost:7777", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"an older browser":              {false, "localhost:7777", []string{"Origin", "https://evil.example"}, 403},
		"even if told so":               {true, "tracer.example:7777", []string{"Origin", "https://evil.example"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, Options{Insecure: tc.insecure})
			w := ask(s, http.MethodPost, "/export", requestTo("x"), append([]string{hostHeader, tc.host}, tc.headers...)...)
			if w.Code != tc.code {
				t.Errorf("status is %d, want %d: %s", w.Code, tc.code, w.Body)
			}
		})
	}
}

// TestServer_Log checks that the log has the users of exports and of denied requests, and no
// tokens.
func TestServer_Log(t *testing.T) {
	var log strings.Builder
	s, err := New(Options{
		Exporter: exports("a trace"), Status: func() simkubev1.TracerStatus { return simkubev1.TracerStatus{} },
		Storage: &bucket{}, Allowed: []Destination{{Scheme: "s3", Bucket: "traces"}},
		Authorizer: authorizerFunc(func(token, _, _ string) (Decision, error) {
			return Decision{User: strings.TrimPrefix(token, "secret-"), Allowed: token == "secret-alice"}, nil
		}),
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ token, path, want string }{
		{"secret-alice", "x.sktrace", `msg="exported a trace" user=alice to=client `},
		{"secret-alice", "s3://traces/x", `msg="exported a trace" user=alice to=s3://traces/x `},
		{"secret-bob", "x.sktrace", `msg="request denied" user=bob verb=post path=/export`},
	} {
		log.Reset()
		ask(s, http.MethodPost, "/export", requestTo(tc.path), "Authorization", "Bearer "+tc.token)
		if got := log.String(); !strings.Contains(got, tc.want) || strings.Contains(got, "secret-") {
			t.Errorf("the log is\n%s\nwant %s, and no token", got, tc.want)
		}
	}
}
