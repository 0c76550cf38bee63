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
	unsure := t.openGap(ctx) // before the snapshot: a gap that closes meanwhile is in it
	snapshot, err := t.log.Snapshot()
	if err != nil {
		return server.Summary{}, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	wanted := export.Request{
		Start: request.StartTS, End: request.EndTS,
		Filters: export.Filters{
			ExcludedNamespaces: excludedNamespaces, IncludedNamespaces: includedNamespaces,
			ExcludedLabels: excluded, IncludedLabels: included,
		},
	}
	opts := export.Options{Config: t.Config(), Extension: !t.opts.NoExtension, SpoolDir: t.opts.SpoolDir, Unsure: unsure}
	if request.Transform != "" {
		return t.exportTransformed(ctx, snapshot, wanted, request.Transform, out, opts)
	}
	summary, err := export.Run(ctx, snapshot, wanted, out, opts)
	if err != nil {
		return server.Summary{}, exportError(err)
	}
	return server.Summary{Events: summary.Events, Objects: summary.Applied + summary.Deleted, Start: summary.Start}, nil
}

// exportError makes the error of an export one of the request where that is what is wrong.
func exportError(err error) error {
	var window *export.WindowError
	if errors.As(err, &window) {
		return &server.RequestError{Problems: []simkubev1.Problem{{Field: "start_ts", Message: window.Error()}}}
	}
	return fmt.Errorf("export: %w", err)
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
