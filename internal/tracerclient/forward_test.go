package tracerclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestForward gets traces from a pod through the API server, several concurrently.
func TestForward(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	tracer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(long) }))
	defer tracer.Close()
	c := &cluster{ports: map[string]string{"7780": tracer.Listener.Addr().String()}}
	config, client := c.start(t)
	forward, err := NewForward(t.Context(), config, client, Pod{Namespace: "simkube", Name: "a", Port: 7780})
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Close()
	var exports sync.WaitGroup
	for range 3 {
		exports.Go(func() {
			export, err := (&Client{URL: forward.URL(), Transport: forward.Transport()}).Export(t.Context(), request)
			if err != nil {
				t.Error(err)
				return
			}
			defer export.Body.Close()
			if data, err := io.ReadAll(export.Body); err != nil || !bytes.Equal(data, long) {
				t.Errorf("got %d bytes, %v, want %d", len(data), err, len(long))
			}
		})
	}
	exports.Wait()
	if diff := cmp.Diff([]string{"forward to simkube/a"}, c.asked); diff != "" {
		t.Errorf("asked of the API server (-want +got):\n%s", diff)
	}
}

// TestForward_Refused has no listener in the pod.
func TestForward_Refused(t *testing.T) {
	c := &cluster{}
	config, client := c.start(t)
	forward, err := NewForward(t.Context(), config, client, Pod{Namespace: "simkube", Name: "a", Port: 7780})
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Close()
	_, err = (&Client{URL: forward.URL(), Transport: forward.Transport()}).Export(t.Context(), request)
	if err == nil || !strings.Contains(err.Error(), "the pod simkube/a: connect to port 7780: refused") {
		t.Errorf("error is %v", err)
	}
}

// TestForward_Abandoned closes the client within a trace.
func TestForward_Abandoned(t *testing.T) {
	tracer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 1<<16))
		}
	}))
	defer tracer.Close()
	c := &cluster{ports: map[string]string{"7780": tracer.Listener.Addr().String()}}
	config, client := c.start(t)
	forward, err := NewForward(t.Context(), config, client, Pod{Namespace: "simkube", Name: "a", Port: 7780})
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Close()
	ctx, cancel := context.WithCancel(t.Context())
	export, err := (&Client{URL: forward.URL(), Transport: forward.Transport()}).Export(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, export.Body, 1<<20); err != nil {
		t.Error(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, export.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	export.Body.Close()
}

func TestNewForward_Interrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &cluster{}
	config, client := c.start(t)
	if f, err := NewForward(ctx, config, client, Pod{Namespace: "simkube", Name: "a", Port: 7780}); !errors.Is(err, context.Canceled) {
		t.Errorf("NewForward = %v, %v", f, err)
	}
}
