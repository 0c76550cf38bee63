package tracer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer/export"
	"simkube.io/simkube/internal/tracer/server"
)

var _ server.Exporter = (*Tracer)(nil)

// Export writes the trace that a request asks for. It implements server.Exporter, does not block
// recording, and may be called concurrently. If the log does not cover the window, the error is a
// *[server.RequestError].
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
	openGap := t.openGap(ctx) // before the snapshot, which then has gaps that close meanwhile
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
	opts := export.Options{Config: t.Config(), Extension: !t.opts.NoExtension, SpoolDir: t.opts.SpoolDir, Unsure: openGap}
	if request.Transform != "" {
		return t.exportTransformed(ctx, snapshot, wanted, transformation{request.Transform, request.StrictTransform}, out, opts)
	}
	summary, err := export.Run(ctx, snapshot, wanted, out, opts)
	if err != nil {
		return server.Summary{}, exportError(err)
	}
	result := server.Summary{Events: summary.Events, Objects: summary.Applied + summary.Deleted, Start: summary.Start}
	if wanted.Filters.HasNamespaces() {
		result.Report = &simkubev1.ExportReport{LeftOut: leftOut(summary)}
	}
	return result, nil
}

// leftOut returns the namespaces that an export left out, those with the most objects first.
func leftOut(summary export.Summary) []simkubev1.LeftOutNamespace {
	var out []simkubev1.LeftOutNamespace
	for name, objects := range summary.LeftOut {
		out = append(out, simkubev1.LeftOutNamespace{Namespace: name, Objects: objects})
	}
	slices.SortFunc(out, func(a, b simkubev1.LeftOutNamespace) int {
		return cmp.Or(cmp.Compare(b.Objects, a.Objects), cmp.Compare(a.Namespace, b.Namespace))
	})
	return out
}

// exportError turns an error of an export that the request caused into one of the request.
func exportError(err error) error {
	var window *export.WindowError
	if errors.As(err, &window) {
		return &server.RequestError{Problems: []simkubev1.Problem{{Field: "start_ts", Message: window.Error()}}}
	}
	return fmt.Errorf("export: %w", err)
}

// countingWriter counts the bytes written.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
