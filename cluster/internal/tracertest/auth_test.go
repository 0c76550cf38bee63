package tracertest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// TestAuth has a real API server decide who may use the tracer's API. Requests go to the server without a connection, because
// in virtual time only the control plane is reached over one.
func TestAuth(t *testing.T) {
	namespace := newNamespace(t, "auth")
	for _, name := range []string{"exporter", "viewer", "nobody", "deleted"} {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := env.client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	allow(t, namespace, "exporter", rbacv1.PolicyRule{NonResourceURLs: []string{simkubev1.PathExport}, Verbs: []string{"post"}})
	allow(t, namespace, "viewer", rbacv1.PolicyRule{NonResourceURLs: []string{simkubev1.AccessTracerStatus, "/metrics"}, Verbs: []string{"get"}})
	allow(t, namespace, "deleted", rbacv1.PolicyRule{NonResourceURLs: []string{simkubev1.PathExport}, Verbs: []string{"post"}})
	exporter, viewer, nobody, deleted := token(t, namespace, "exporter"), token(t, namespace, "viewer"), token(t, namespace, "nobody"), token(t, namespace, "deleted")

	api := newAPI(t, env.config)
	const export, status, metrics = "POST " + simkubev1.PathExport, "GET " + simkubev1.PathTracerStatus, "GET /metrics"
	// What a binding allows is known to the API server a moment later.
	eventually(t, "the bindings to be in force", func() bool {
		return api.ask(exporter, export).Code == http.StatusOK && api.ask(viewer, status).Code == http.StatusOK && api.ask(deleted, export).Code == http.StatusOK
	})
	for _, tc := range []struct {
		name, token, request string
		code                 int
		want                 string
	}{
		{"an exporter exports", exporter, export, http.StatusOK, "a trace"},
		{"an exporter looks at the status", exporter, status, http.StatusForbidden, `nonResourceURLs: ["/status"] and verbs: ["get"]`},
		{"an exporter looks at metrics", exporter, metrics, http.StatusForbidden, `nonResourceURLs: ["/metrics"] and verbs: ["get"]`},
		{"a viewer looks at the status", viewer, status, http.StatusOK, `"exports"`},
		{"a viewer looks at metrics", viewer, metrics, http.StatusOK, ""},
		{"a viewer exports", viewer, export, http.StatusForbidden, `nonResourceURLs: ["/export"] and verbs: ["post"]`},
		{"an account without rights exports", nobody, export, http.StatusForbidden, "system:serviceaccount:" + namespace + ":nobody"},
		{"an account without rights looks at the status", nobody, status, http.StatusForbidden, "system:serviceaccount:" + namespace + ":nobody"},
		{"garbage", "garbage", export, http.StatusUnauthorized, "does not accept the token"},
		{"three parts of garbage", "e30.e30.e30", export, http.StatusUnauthorized, "does not accept the token"},
		{"a signature cut short", exporter[:len(exporter)-20], export, http.StatusUnauthorized, "does not accept the token"},
		{"a token for somebody else", token(t, namespace, "exporter", "https://elsewhere.example"), export, http.StatusUnauthorized, "does not accept the token"},
		{"no token", "", export, http.StatusUnauthorized, "wants a token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := api.ask(tc.token, tc.request)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("%s: got %d %s, want %d with %q", tc.request, w.Code, w.Body, tc.code, tc.want)
			}
			if tc.token != "" && strings.Contains(w.Body.String(), tc.token) {
				t.Errorf("the answer has the token: %s", w.Body)
			}
		})
	}
	if got := api.ask(nobody, "GET /api/v1/status"); got.Code != http.StatusForbidden {
		t.Errorf("what system:discovery lets everybody do is enough for the status: %d %s", got.Code, got.Body)
	}

	t.Run("a deleted account", func(t *testing.T) {
		if err := env.client.CoreV1().ServiceAccounts(namespace).Delete(t.Context(), "deleted", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		// For a minute the tracer goes by what it knows, and the API server by its own memory for some seconds.
		api.clock.SetTime(api.clock.Now().Add(time.Minute))
		eventually(t, "the token to be refused", func() bool {
			api.clock.SetTime(api.clock.Now().Add(time.Minute))
			return api.ask(deleted, export).Code == http.StatusUnauthorized
		})
	})
	t.Run("a right that is taken away", func(t *testing.T) {
		if err := env.client.RbacV1().ClusterRoleBindings().Delete(t.Context(), namespace+"-viewer", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the viewer to be refused", func() bool {
			api.clock.SetTime(api.clock.Now().Add(time.Minute))
			return api.ask(viewer, status).Code == http.StatusForbidden
		})
	})
}

// TestAuth_Expired holds a token that has expired to be refused. It waits for that, which costs nothing in virtual time.
func TestAuth_APIServer(t *testing.T) {
	namespace := newNamespace(t, "auth")
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "exporter"}}
	if _, err := env.client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}
var _ = context.Background
var _ = fmt.Sprint
var _ = io.EOF
var _ = cmp.Diff
