package tracer

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"simkube.io/simkube/internal/tracer/log"
)

// TestReady_NothingRecorded checks that a tracer that cannot read any of its kinds is not ready,
// although each of them alone would not make it fail.
func TestReady_NothingRecorded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}`))
	}))
	defer server.Close()
	tracer, err := Open(Options{
		Cluster: &rest.Config{Host: server.URL}, Config: lifecycles(deploymentKind), Log: log.Options{InMemory: true}, Logger: testLogger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	done := make(chan error, 1)
	go func() { done <- tracer.Run(ctx) }()
	for {
		refused := 0
		for _, kind := range tracer.Status().Kinds {
			if kind.State == "Forbidden" {
				refused++
			}
		}
		if refused > 0 && refused == len(tracer.Status().Kinds) || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	failed := 0
	for _, check := range tracer.Ready() {
		if !check.OK && !check.Optional {
			failed++
		}
	}
	if failed == 0 || tracer.Status().Ready {
		t.Errorf("got %+v, want a check that fails", tracer.Ready())
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := tracer.Close(); err != nil {
		t.Error(err)
	}
}
