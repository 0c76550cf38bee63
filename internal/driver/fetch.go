package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/tracejson"
	"simkube.io/simkube/storage"
	"simkube.io/simkube/trace"
)

// fetch returns the path of the trace, which it copies into the work folder if it is in a bucket,
// or is JSON.
func (d *driver) fetch(ctx context.Context) (string, error) {
	path, err := d.fetchAny(ctx)
	if err != nil || !tracejson.IsJSON(path) {
		return path, err
	}
	made := filepath.Join(d.opts.WorkDir, "converted.sktrace")
	_, err = tracejson.DecodeFile(ctx, path, made, tracejson.DecodeOptions{})
	var invalid *tracejson.Error
	switch {
	case err == nil:
		d.log.InfoContext(ctx, "converted the trace from JSON", "trace", d.traceName)
		return made, nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, trace.ErrOrder):
		return "", fail(ReasonTraceUnreadable, "the events are not in the order of their times")
	case errors.As(err, &invalid):
		// The message would show a part of the file.
		return "", fail(ReasonTraceUnreadable, "line %d, column %d is not the JSON of a trace; see what skctl trace from-json says of the file", invalid.Line, invalid.Column)
	}
	return "", fmt.Errorf("convert the trace from JSON: %w", err)
}

func (d *driver) fetchAny(ctx context.Context) (string, error) {
	location, err := storage.Parse(d.opts.TracePath)
	if err != nil {
		return "", fail(ReasonInvalidSimulation, "the trace's path: %w", err)
	}
	d.traceName = location.String()
	if location.Scheme == storage.SchemeFile {
		return location.Key, d.checkLocal(location.Key)
	}
	began := d.opts.Clock.Now()
	d.log.InfoContext(ctx, "fetching the trace", "trace", location.String())
	path := filepath.Join(d.opts.WorkDir, "trace.sktrace")
	size, err := d.download(ctx, location, path)
	switch {
	case err == nil:
		d.log.InfoContext(ctx, "fetched the trace", "bytes", size, "took", d.opts.Clock.Since(began).Round(time.Millisecond))
		return path, nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, storage.ErrNotExist):
		return "", fail(ReasonTraceNotFound, "%w; check driver.tracePath", err)
	case errors.Is(err, storage.ErrPermission):
		return "", fail(ReasonTraceUnreadable, "%w; name a Secret with credentials in driver.secrets, or let the driver's service account read the bucket", err)
	}
	return "", fmt.Errorf("fetch the trace: %w", err) // a retry may succeed
}

func (d *driver) download(ctx context.Context, from storage.Location, to string) (size int64, err error) {
	r, err := d.storage.Open(ctx, from)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	f, err := os.Create(to)
	if err != nil {
		return 0, fmt.Errorf("make room for the trace: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.Copy(f, r)
}

// checkLocal returns an error for a local trace that cannot be read, for the author of the
// Simulation.
func (d *driver) checkLocal(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(ReasonTraceNotFound, "there is no %s in the driver's pod: the file must be on every node that the driver may run on, "+
			"or, if the Simulation skips the mounting of local traces, in the image or a volume", path)
	case err != nil:
		return fail(ReasonTraceUnreadable, "%w", err)
	case info.IsDir():
		return fail(ReasonTraceUnreadable, "%s is a folder; driver.tracePath must name the trace file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(ReasonTraceUnreadable, "%w; the driver runs as a user without privileges: let everybody read the file", err)
	}
	return f.Close()
}

// readTrace reads the trace for one repetition.
func readTrace(ctx context.Context, spec simulation.Spec) (*simulation.Prepared, error) {
	prepared, err := simulation.Prepare(ctx, spec)
	switch {
	case err == nil:
		return prepared, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, simulation.ErrEmptyTrace):
		return nil, fail(ReasonTraceEmpty, "%w; record for longer, or export a longer time", err)
	}
	return nil, fail(ReasonTraceUnreadable, "%w; see what skctl trace info says of the file", err)
}
