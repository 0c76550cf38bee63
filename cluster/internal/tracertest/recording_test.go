package tracertest

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"simkube.io/simkube/internal/tracer"
	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"

	simkubev1 "simkube.io/simkube/api/v1"
)

// eventuallyTimeout is the timeout of eventually.
const eventuallyTimeout = time.Minute

// recording is a tracer that records the control plane.
type recording struct {
	*tracer.Tracer
	cancel context.CancelFunc
	done   chan error
}

// record starts a tracer that records until the end of the test, and returns when all kinds are
// synced.
func record(t *testing.T, config *trace.Config, change func(*tracer.Options)) *recording {
	t.Helper()
	opts := tracer.Options{
		Cluster: env.plane.RESTConfig(), Config: config, Log: log.Options{InMemory: true}, Version: "test",
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if change != nil {
		change(&opts)
	}
	tr, err := tracer.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &recording{Tracer: tr, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- tr.Run(ctx) }()
	t.Cleanup(func() { r.stop(t) })
	eventually(t, "the tracer to be ready", func() bool {
		for _, check := range tr.Ready() {
			if !check.OK && !check.Optional {
				return false
			}
		}
		return true
	})
	return r
}

// stop ends the recording. It may be called more than once.
func (r *recording) stop(t *testing.T) {
	t.Helper()
	if r.cancel == nil {
		return
	}
	r.cancel()
	r.cancel = nil
	if err := <-r.done; err != nil {
		t.Errorf("the tracer ended: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close the tracer: %v", err)
	}
}

// export returns the trace of an interval.
func (r *recording) export(t *testing.T, start, end time.Time, filters simkubev1.ExportFilters) *trace.Trace {
	t.Helper()
	var out bytes.Buffer
	_, err := r.Export(t.Context(), simkubev1.ExportRequest{StartTS: start.Unix(), EndTS: end.Unix(), ExportPath: "x", Filters: filters}, &out)
	if err != nil {
		t.Fatalf("export: %v", err)
	}
	recorded, err := trace.Read(&out)
	if err != nil {
		t.Fatalf("read the export: %v", err)
	}
	return recorded
}

// eventually waits until f returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventuallyTimeout)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !f() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("waited %s for %s", eventuallyTimeout, what)
		}
	}
}
