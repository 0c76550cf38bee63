package tracer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer/export"
	"simkube.io/simkube/internal/tracer/server"
	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// CheckTransform returns the problems of the program of an export request.
func CheckTransform(text string) []simkubev1.Problem {
	_, err := skel.Compile(text)
	return transformProblems(err)
}

// transformField is the program's field in a request.
const transformField = "transform"

// transformProblems returns an error of a program as problems of the request.
func transformProblems(err error) []simkubev1.Problem {
	var (
		invalid *skel.Error
		failed  *skel.RunError
		out     []simkubev1.Problem
	)
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		for _, d := range invalid.Diagnostics {
			message := d.Message
			if d.Hint != "" {
				message += "; " + d.Hint
			}
			out = append(out, simkubev1.Problem{Field: transformField, Line: d.Line, Column: d.Column, Message: message})
		}
		if invalid.More > 0 {
			out = append(out, simkubev1.Problem{Field: transformField, Message: fmt.Sprintf("and %d more problems", invalid.More)})
		}
	case errors.As(err, &failed):
		out = append(out, simkubev1.Problem{Field: transformField, Line: failed.Line, Column: failed.Column, Message: failed.Where() + ": " + failed.Message})
	default:
		out = append(out, simkubev1.Problem{Field: transformField, Message: err.Error()})
	}
	return out
}

// exportTransformed exports into a temporary file and writes the result of a program on it. A
// program may move, copy and drop objects, so the export cannot do that as it writes.
func (t *Tracer) exportTransformed(
	ctx context.Context, snapshot export.Source, wanted export.Request, text string, out io.Writer, opts export.Options,
) (_ server.Summary, err error) {
	program, err := skel.Compile(text)
	if err != nil {
		return server.Summary{}, &server.RequestError{Problems: transformProblems(err)}
	}
	dir, err := export.MakeSpool(opts.SpoolDir)
	if err != nil {
		return server.Summary{}, fmt.Errorf("export: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "export.sktrace")
	if err := writeExport(ctx, snapshot, wanted, path, opts); err != nil {
		return server.Summary{}, exportError(err)
	}
	in, err := trace.Open(path)
	if err != nil {
		return server.Summary{}, fmt.Errorf("transform the export: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	result := &transformed{}
	defer func() { err = errors.Join(err, result.close()) }()
	summary, err := program.Run(ctx, &in.Reader, func(config *trace.Config, options trace.WriterOptions) (skel.Output, error) {
		// Nothing is sent before all events have been processed, so that an error of the program can
		// still be the response.
		options.Events, options.Expected, options.SpoolDir = 0, 0, dir
		result.Writer, err = trace.NewWriter(out, config, options)
		return result, err
	}, skel.RunOptions{SpoolDir: dir, Workers: 1})
	var failed *skel.RunError
	switch {
	case errors.As(err, &failed):
		return server.Summary{}, &server.RequestError{Problems: transformProblems(err)}
	case err != nil:
		return server.Summary{}, fmt.Errorf("transform the export: %w", err)
	}
	return server.Summary{Events: summary.EventsWritten, Objects: summary.ObjectsWritten, Start: result.start}, nil
}

// writeExport exports into a file.
func writeExport(ctx context.Context, snapshot export.Source, wanted export.Request, path string, opts export.Options) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = export.Run(ctx, snapshot, wanted, file, opts)
	return err
}

// transformed is a trace being written that stores the time of its first event.
type transformed struct {
	*trace.Writer
	start int64
}

// WriteEvent implements skel.Output.
func (t *transformed) WriteEvent(e *trace.Event) error {
	if t.Events() == 0 {
		t.start = e.Time
	}
	return t.Writer.WriteEvent(e)
}

func (t *transformed) close() error {
	if t.Writer == nil {
		return nil
	}
	return t.Close()
}
