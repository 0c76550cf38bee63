package tracer

import (
	"context"
	"errors"
	"fmt"
	"io"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer/export"
	"simkube.io/simkube/internal/tracer/server"
)

var _ server.Exporter = (*Tracer)(nil)

// Export writes the trace that a request asks for. It implements server.Exporter, blocks no recording, and may be called several times at once. What the log does
// not reach back to, or forward to, is a *[server.RequestError].
func (t *Tracer) Export(ctx context.Context, request simkubev1.ExportRequest, w io.Writer) (_ server.Summary, err error) {
	began := t.clock.Now()
	out := &countingWriter{w: w}
	defer func() {
		t.metrics.exportDuration.Observe(t.clock.Since(began).Seconds())
		t.metrics.exportBytes.Add(float64(out.n))
		result := "ok"
		if err != nil {
			result = "failed"
		}
		t.metrics.exports.WithLabelValues(result).Inc()
	}()
	excluded, included, problems := request.Filters.Selectors()
	if len(problems) > 0 {
		return server.Summary{}, &server.RequestError{Problems: problems}
	}
	excludedNamespaces, includedNamespaces := request.Filters.Namespaces()
	snapshot, err := t.log.Snapshot()
	if err != nil {
		return server.Summary{}, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	summary, err := export.Run(ctx, snapshot, export.Request{
		Start: request.StartTS, End: request.EndTS,
		Filters: export.Filters{
			ExcludedNamespaces: excludedNamespaces, IncludedNamespaces: includedNamespaces,
			ExcludedLabels: excluded, IncludedLabels: included,
		},
	}, out, export.Options{Config: t.Config(), Extension: !t.opts.NoExtension, SpoolDir: t.opts.SpoolDir})
	var window *export.WindowError
	if errors.As(err, &window) {
		return server.Summary{}, &server.RequestError{Problems: []simkubev1.Problem{{Field: "start_ts", Message: window.Error()}}}
	}
	if err != nil {
		return server.Summary{}, fmt.Errorf("export: %w", err)
	}
	return server.Summary{Events: summary.Events, Objects: summary.Applied + summary.Deleted, Start: summary.Start}, nil
}

// countingWriter counts what goes through it.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
