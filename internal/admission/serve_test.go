package admission

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"simkube.io/simkube/internal/serving"
	"simkube.io/simkube/internal/serving/servingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves until stop, which returns the result of Serve.
func start(t testing.TB, dir string, h http.Handler) (url string, stop func() error) {
	t.Helper()
	files := servingtest.NewCertificate(t, dir, "one")
	hourAgo := time.Now().Add(-time.Hour)
	if err := errors.Join(os.Chtimes(files.Cert, hourAgo, hourAgo), os.Chtimes(files.Key, hourAgo, hourAgo)); err != nil {
		t.Fatal(err)
	}
	config, err := serving.CertificateFiles(files.Cert, files.Key, slog.New(slog.DiscardHandler))
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
			servingtest.NewCertificate(t, dir, name)
		}
		client := newClient()
		response, err := client.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		client.CloseIdleConnections()
		if got := response.TLS.PeerCertificates[0].Subject.CommonName; got != name || response.StatusCode != http.StatusOK || response.ProtoMajor != 2 {
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
	client := newClient()
	defer client.CloseIdleConnections()
	go func() {
		response, err := client.Get(url)
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

// BenchmarkReview sends 500 reviews a second over one connection, each at its time even if earlier
// ones are not finished, and reports how long they took from being sent, and how late they were
// sent: timers are late by a millisecond on some systems, and client and server share the machine.
func BenchmarkReview(b *testing.B) {
	const interval = time.Second / 500
	url, stop := start(b, b.TempDir(), newHandler(b, nil))
	client := newClient()
	var (
		mu      sync.Mutex
		took    []time.Duration
		late    []time.Duration
		pending sync.WaitGroup
	)
	for due := time.Now(); b.Loop(); due = due.Add(interval) {
		time.Sleep(time.Until(due))
		sent := time.Now()
		late = append(late, sent.Sub(due))
		pending.Go(func() {
			response, err := client.Post(url+"/mutate", "application/json", strings.NewReader(good))
			if err != nil {
				b.Error(err)
				return
			}
			defer response.Body.Close()
			if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
				b.Errorf("%s, %v", response.Status, err)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(sent))
		})
	}
	pending.Wait()
	slices.Sort(took)
	slices.Sort(late)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds())/1000, "late-p99-ms")
	client.CloseIdleConnections()
	if err := stop(); err != nil {
		b.Error(err)
	}
}
