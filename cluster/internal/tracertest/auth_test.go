package tracertest

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer/server"
)

// Requests of the tracer's API that require a token.
const (
	askExport  = "POST " + simkubev1.PathExport
	askStatus  = "GET " + simkubev1.PathTracerStatus
	askMetrics = "GET /metrics"
)

// TestAuth authorizes users of the tracer's API with a real API server.
func TestAuth(t *testing.T) {
	namespace := newNamespace(t, "auth")
	mayExport := rbacv1.PolicyRule{NonResourceURLs: []string{"/export"}, Verbs: []string{"post"}}
	exporter := newAccount(t, namespace, "exporter", mayExport)
	viewer := newAccount(t, namespace, "viewer", rbacv1.PolicyRule{NonResourceURLs: []string{"/status", "/metrics"}, Verbs: []string{"get"}})
	nobody := newAccount(t, namespace, "nobody")
	deleted := newAccount(t, namespace, "deleted", mayExport)
	api := newAPI(t, reviewer(t, namespace))
	// The API server applies a binding shortly after it was created.
	eventually(t, "the bindings to be in force", func() bool {
		api.forget()
		return api.ask(exporter, askExport).Code == http.StatusOK && api.ask(viewer, askStatus).Code == http.StatusOK &&
			api.ask(viewer, askMetrics).Code == http.StatusOK && api.ask(deleted, askExport).Code == http.StatusOK
	})

	expired := changeToken(t, exporter, func(claims map[string]any) {
		now := time.Now()
		claims["iat"], claims["nbf"], claims["exp"] = now.Add(-time.Hour).Unix(), now.Add(-time.Hour).Unix(), now.Add(-time.Minute).Unix()
	})
	unchanged := changeToken(t, exporter, func(map[string]any) {})
	someone := "system:serviceaccount:" + namespace
	for _, tc := range []struct {
		name, token, request string
		code                 int
		want                 string
	}{
		{"an exporter exports", exporter, askExport, http.StatusOK, "a trace"},
		{"an exporter looks at the status", exporter, askStatus, http.StatusForbidden, `nonResourceURLs: [\"/status\"] and verbs: [\"get\"]`},
		{"an exporter looks at metrics", exporter, askMetrics, http.StatusForbidden, `nonResourceURLs: [\"/metrics\"] and verbs: [\"get\"]`},
		{"a viewer looks at the status", viewer, askStatus, http.StatusOK, `"exports"`},
		{"a viewer looks at metrics", viewer, askMetrics, http.StatusOK, ""},
		{"a viewer exports", viewer, askExport, http.StatusForbidden, `nonResourceURLs: [\"/export\"] and verbs: [\"post\"]`},
		{"an account without rights exports", nobody, askExport, http.StatusForbidden, someone + ":nobody"},
		// The role system:discovery of Kubernetes allows it to get /api/*.
		{"an account without rights looks at the status", nobody, askStatus, http.StatusForbidden, someone + ":nobody"},
		{"a token that was signed here", unchanged, askExport, http.StatusOK, "a trace"},
		{"an expired token", expired, askExport, http.StatusUnauthorized, "does not accept the token"},
		{"garbage", "garbage", askExport, http.StatusUnauthorized, "does not accept the token"},
		{"the form of a token", "e30.e30.e30", askExport, http.StatusUnauthorized, "does not accept the token"},
		{"a signature cut short", exporter[:len(exporter)-20], askExport, http.StatusUnauthorized, "does not accept the token"},
		{"a token for somebody else than the API server", newToken(t, namespace, "exporter", "https://elsewhere.example"), askExport, http.StatusUnauthorized, "does not accept the token"},
		{"no token", "", askExport, http.StatusUnauthorized, "requires a token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := api.ask(tc.token, tc.request)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("%s: got %d %s, want %d with %q", tc.request, w.Code, w.Body, tc.code, tc.want)
			}
			if tc.token != "" && tc.token != "garbage" && (strings.Contains(w.Body.String(), tc.token) || strings.Contains(api.log.String(), tc.token)) {
				t.Errorf("the token is told in the answer %s, or logged: %s", w.Body, &api.log)
			}
		})
	}

	t.Run("an account that was deleted", func(t *testing.T) {
		if err := env.client.CoreV1().ServiceAccounts(namespace).Delete(t.Context(), "deleted", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		// The API server caches tokens for some seconds, too.
		eventually(t, "the token to be refused", func() bool {
			api.forget()
			return api.ask(deleted, askExport).Code == http.StatusUnauthorized
		})
	})
	t.Run("a right that was taken away", func(t *testing.T) {
		if err := env.client.RbacV1().ClusterRoleBindings().Delete(t.Context(), namespace+"-viewer", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the viewer to be refused", func() bool {
			api.forget()
			return api.ask(viewer, askStatus).Code == http.StatusForbidden
		})
	})
}

// TestAuth_Unknown checks that all requests are denied if the token cannot be reviewed.
func TestAuth_Unknown(t *testing.T) {
	namespace := newNamespace(t, "auth")
	exporter := newAccount(t, namespace, "exporter", rbacv1.PolicyRule{NonResourceURLs: []string{"/export"}, Verbs: []string{"post"}})
	powerless := env.plane.RESTConfig()
	powerless.BearerToken = newAccount(t, namespace, "powerless")
	half := env.plane.RESTConfig()
	half.BearerToken = newAccount(t, namespace, "half", rbacv1.PolicyRule{
		APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: []string{"create"},
	})
	away := env.plane.RESTConfig()
	away.Wrap(func(http.RoundTripper) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("the network is down") })
	})
	broken := env.plane.RESTConfig()
	broken.Wrap(func(http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusInternalServerError, Body: io.NopCloser(strings.NewReader("etcd is away")), Request: r}, nil
		})
	})
	for _, tc := range []struct {
		name   string
		config *rest.Config
		want   string
	}{
		{"the API server is away", away, "the network is down"},
		{"the API server fails", broken, "etcd is away"},
		{"the tracer may not ask who somebody is", powerless, `cannot create resource \"tokenreviews\"`},
		{"the tracer may not ask what somebody may do", half, `cannot create resource \"subjectaccessreviews\"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api := newAPI(t, tc.config)
			eventually(t, "the reason to be "+tc.want, func() bool {
				api.forget()
				w := api.ask(exporter, askExport)
				if w.Code != http.StatusServiceUnavailable {
					t.Fatalf("got %d %s, want %d", w.Code, w.Body, http.StatusServiceUnavailable)
				}
				if strings.Contains(w.Body.String(), exporter) || strings.Contains(api.log.String(), exporter) {
					t.Fatalf("the token is told in the answer %s, or logged: %s", w.Body, &api.log)
				}
				return strings.Contains(w.Body.String(), tc.want)
			})
		})
	}
}

// api is a tracer's API whose users are those of the control plane. Requests are sent to it without
// a connection, because in virtual time only the control plane can be reached over one.
type api struct {
	*server.Server
	clock *clocktesting.FakePassiveClock
	log   strings.Builder
}

// newAPI returns an API whose users are authorized by the API server of a config.
func newAPI(t *testing.T, config *rest.Config) *api {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	a := &api{clock: clocktesting.NewFakePassiveClock(time.Now())}
	a.Server, err = server.New(server.Options{
		Exporter: exporterFunc(func(w io.Writer) error {
			_, err := io.WriteString(w, "a trace")
			return err
		}),
		Status:     func() simkubev1.TracerStatus { return simkubev1.TracerStatus{} },
		Authorizer: server.NewTokenAuthorizer(client.AuthenticationV1().TokenReviews(), client.AuthorizationV1().SubjectAccessReviews(), a.clock),
		Logger:     slog.New(slog.NewTextHandler(&a.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// ask sends a request, "METHOD PATH", with a token unless it is empty.
func (a *api) ask(token, request string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(`{"start_ts": 0, "end_ts": 1, "export_path": "x"}`))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// forget expires the decisions that the API has cached.
func (a *api) forget() { a.clock.SetTime(a.clock.Now().Add(time.Hour)) }

// reviewer returns the config of a tracer that may only create reviews.
func reviewer(t *testing.T, namespace string) *rest.Config {
	t.Helper()
	config := env.plane.RESTConfig()
	config.BearerToken = newAccount(t, namespace, "tracer",
		rbacv1.PolicyRule{APIGroups: []string{"authentication.k8s.io"}, Resources: []string{"tokenreviews"}, Verbs: []string{"create"}},
		rbacv1.PolicyRule{APIGroups: []string{"authorization.k8s.io"}, Resources: []string{"subjectaccessreviews"}, Verbs: []string{"create"}})
	return config
}

// newAccount creates a ServiceAccount with rights in the whole cluster, and returns a token of it.
// The rights are removed at the end of the test.
func newAccount(t *testing.T, namespace, name string, rules ...rbacv1.PolicyRule) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := env.client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(rules) > 0 {
		meta := metav1.ObjectMeta{Name: namespace + "-" + name}
		roles, bindings := env.client.RbacV1().ClusterRoles(), env.client.RbacV1().ClusterRoleBindings()
		_, err := roles.Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = bindings.Create(t.Context(), &rbacv1.ClusterRoleBinding{
			ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx := context.WithoutCancel(t.Context())
			// A test may have deleted the binding.
			_ = bindings.Delete(ctx, meta.Name, metav1.DeleteOptions{})
			if err := roles.Delete(ctx, meta.Name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	return newToken(t, namespace, name)
}

// newToken returns a token of a ServiceAccount for an audience, by default the API server.
func newToken(t *testing.T, namespace, name string, audiences ...string) string {
	t.Helper()
	request, err := env.client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// changeToken returns a token with changed claims, signed with the API server's key, because the
// API server does not issue tokens that have expired, or soon will.
func changeToken(t *testing.T, token string, change func(claims map[string]any)) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(env.plane.DataDir(), "sa.key"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	change(claims)
	if payload, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// exporterFunc is an Exporter that writes a text.
type exporterFunc func(io.Writer) error

// Export implements server.Exporter.
func (f exporterFunc) Export(_ context.Context, _ simkubev1.ExportRequest, w io.Writer) (server.Summary, error) {
	return server.Summary{}, f(w)
}
