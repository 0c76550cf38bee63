package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"simkube.io/simkube/storage/storagetest"
)

const accounts = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: nobody}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: exporter}
`

const exportRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: tracer-tokens}
rules: [{nonResourceURLs: [/export], verbs: [post]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: tracer-tokens}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: tracer-tokens}
subjects: [{kind: ServiceAccount, name: exporter, namespace: tokens}]
`

// testTracerTokens serves the API on every address with TLS, to those whom the cluster authorizes.
func testTracerTokens(t *testing.T, c *tracedCluster) {
	s := newSandbox(t)
	c.namespace(t, "tokens")
	c.apply(t, "tokens", accounts)
	c.apply(t, "", exportRole)
	c.configMap(t, "tokens", "one", "1")
	config, cert, key := filepath.Join(s.dir, "config.yaml"), filepath.Join(s.dir, "cert.pem"), filepath.Join(s.dir, "key.pem")
	writeFile(t, config, "trackedObjects: {v1.ConfigMap: {}}\n")
	writeCertificate(t, cert, key)
	tracer := s.startTracer(nil, config, "--kubeconfig", c.kubeconfig, "--in-memory", "--bind-address", "0.0.0.0", "--auth", "token",
		"--tls-cert-file", cert, "--tls-key-file", key)
	tracer.url = strings.Replace(tracer.url, "http:", "https:", 1)
	tracer.client = trusting(t, cert)
	tracer.ready() // needs no token
	nextSecond()
	nextSecond()

	now := time.Now().Unix()
	body := fmt.Sprintf(`{"start_ts": %d, "end_ts": %d, "export_path": "x.sktrace"}`, now-300, now)
	nobody, exporter := c.token(t, "tokens", "nobody"), c.token(t, "tokens", "exporter")
	for _, test := range []struct {
		name, method, path, token string
		code                      int
		want                      []string
	}{
		{"no token", http.MethodPost, "/export", "", 401, []string{"Authorization: Bearer"}},
		{"no token for metrics", http.MethodGet, "/metrics", "", 401, []string{"requires a token"}},
		{"no token for status", http.MethodGet, "/api/v1/status", "", 401, []string{"requires a token"}},
		{"made up", http.MethodPost, "/export", "made.up.token", 401, []string{"does not accept the token"}},
		{"no right", http.MethodPost, "/export", nobody, 403, []string{"system:serviceaccount:tokens:nobody", "nonResourceURLs", "/export", "post"}},
		{"another right", http.MethodGet, "/metrics", exporter, 403, []string{"system:serviceaccount:tokens:exporter", "/metrics", "get"}},
		{"right", http.MethodPost, "/export", exporter, 200, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), test.method, tracer.url+test.path, strings.NewReader(body))
			must(t, err)
			if test.token != "" {
				req.Header.Set("Authorization", "Bearer "+test.token)
			}
			code, text := tracer.do(req)
			if code != test.code {
				t.Fatalf("got %d, want %d: %s", code, test.code, text)
			}
			wants(t, "the answer", text, test.want...)
		})
	}
	lacks(t, "the tracer's log", tracer.stderr.text(), nobody)

	writeFile(t, filepath.Join(s.dir, "token"), exporter+"\n")
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"token and certificate", []string{"--tracer-ca-file", cert, "--token-file", "token"}, done, []string{"exported "}},
		{"no token", []string{"--tracer-ca-file", cert}, failed, []string{"hint: use a token", "--token-file"}},
		{"no right", []string{"--tracer-ca-file", cert, "--token", nobody}, failed, []string{"system:serviceaccount:tokens:nobody", "ClusterRole"}},
		{"unknown certificate", []string{"--token-file", "token"}, failed, []string{"certificate"}},
	} {
		t.Run("skctl with "+test.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.sktrace")
			r := s.skctl(append([]string{"export", "-o", out, "--included-namespaces", "tokens", "--tracer-address", tracer.url}, test.args...)...)
			r.check(t, test.code)
			wants(t, "standard error", r.stderr, test.want...)
			if test.code != done {
				empty(t, filepath.Dir(out))
			}
		})
	}
}

// token returns a token of a ServiceAccount, like kubectl create token.
func (c *tracedCluster) token(t *testing.T, namespace, account string) string {
	t.Helper()
	request, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	must(t, err)
	return request.Status.Token
}

// writeCertificate writes a self-signed certificate for this machine.
func writeCertificate(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sk-tracer"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	writeFile(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	writeFile(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func trusting(t *testing.T, certFile string) *http.Client {
	t.Helper()
	data, err := os.ReadFile(certFile)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// testTracerUnreachable starts the tracer before its cluster is reachable, and later makes the
// cluster unreachable again.
func testTracerUnreachable(t *testing.T, c *tracedCluster) {
	s := newSandbox(t)
	kubeconfig, err := clientcmd.LoadFromFile(c.kubeconfig)
	must(t, err)
	var proxy *storagetest.Proxy
	for _, cluster := range kubeconfig.Clusters {
		proxy = storagetest.NewProxy(t, strings.TrimPrefix(cluster.Server, "https://"))
		cluster.Server = "https://" + proxy.Address()
	}
	path, config := filepath.Join(s.dir, "kubeconfig"), filepath.Join(s.dir, "config.yaml")
	must(t, clientcmd.WriteToFile(*kubeconfig, path))
	writeFile(t, config, "trackedObjects: {v1.ConfigMap: {}}\n")

	proxy.CutUpload(0, true)
	tracer := s.startTracer(nil, config, "--kubeconfig", path, "--in-memory")
	page := tracer.shows("/readyz", "[-]v1.ConfigMap failed: ", proxy.Address(), "readyz check failed")
	if code, _ := tracer.get(t.Context(), "/healthz"); code != http.StatusOK {
		t.Errorf("healthz returned %d, want %d: the tracer itself is healthy; readyz returned %s", code, http.StatusOK, page)
	}
	if tracer.status().Ready {
		t.Error("the status says that it is ready")
	}
	proxy.Restore()
	tracer.ready()

	c.namespace(t, "unreachable")
	proxy.CutDownload(0, true) // breaks the watches at the next event
	c.configMap(t, "unreachable", "missed", "1")
	tracer.shows("/readyz?verbose", "[!]v1.ConfigMap", "\nok\n")
	c.configMap(t, "unreachable", "missed", "2")
	proxy.Restore()
	tracer.shows("/readyz?verbose", "[+]v1.ConfigMap ok")
	tracer.shows("/metrics", `simkube_tracer_watch_restarts_total{kind="v1.ConfigMap",reason=`)
	nextSecond()
	got := history(t, s.export(tracer, "unreachable"), "ConfigMap")
	if len(got) == 0 || got[len(got)-1] != "+ ConfigMap missed 2" {
		t.Errorf("the history is %q, and should end with what came of it meanwhile", got)
	}
}
