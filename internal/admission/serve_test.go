package admission

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"simkube.io/simkube/internal/tracer/server"
)

// writeCertificate writes a certificate and its key, with a time of its own so that the change is seen.
func writeCertificate(t testing.TB, dir, name string, written time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// start serves until stop, which gives what Serve returned.
func start(t testing.TB, dir string, h http.Handler) (url string, stop func() error) {
	t.Helper()
	cert, key := writeCertificate(t, dir, "one", time.Now().Add(-time.Hour))
	config, err := server.CertificateFiles(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, listener, config, h) }()
	return "https://" + listener.Addr().String(), func() error { cancel(); return <-done }
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
}

func TestServe(t *testing.T) {
	dir := t.TempDir()
	url, stop := start(t, dir, newHandler(t, nil))
	for _, name := range []string{"one", "two"} {
		if name == "two" {
			writeCertificate(t, dir, name, time.Now())
		}
		client := newClient()
		response, err := client.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		client.CloseIdleConnections()
		if got := response.TLS.PeerCertificates[0].Subject.CommonName; got != name || response.StatusCode != 200 || response.ProtoMajor != 2 {
			t.Errorf("certificate %s, %s, %s, want that of %s and HTTP/2", got, response.Status, response.Proto, name)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestServe_FinishesReviews(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	url, stop := start(t, t.TempDir(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	status := make(chan int, 1)
	go func() {
		response, err := newClient().Get(url)
		if err != nil {
			status <- 0
			return
		}
		_ = response.Body.Close()
		status <- response.StatusCode
	}()
	<-entered
	time.AfterFunc(50*time.Millisecond, func() { close(release) })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if got := <-status; got != 200 {
		t.Errorf("status = %d, want 200", got)
	}
}

// BenchmarkReview paces 500 reviews a second over one connection.
func BenchmarkReview(b *testing.B) {
	url, stop := start(b, b.TempDir(), newHandler(b, nil))
	client := newClient()
	var took []time.Duration
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for b.Loop() {
		<-ticker.C
		began := time.Now()
		response, err := client.Post(url+"/mutate", "application/json", strings.NewReader(good))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	client.CloseIdleConnections()
	if err := stop(); err != nil {
		b.Error(err)
	}
}
