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

// transformation is a program for an export. If strict is set, commands that change nothing are
// problems of the request.
type transformation struct {
	text   string
	strict bool
}

// exportTransformed exports into a temporary file and writes the result of a program on it. A
// program may move, copy and drop objects, so the export cannot do that as it writes.
func (t *Tracer) exportTransformed(
	ctx context.Context, snapshot export.Source, wanted export.Request, change transformation, out io.Writer, opts export.Options,
) (_ server.Summary, err error) {
	program, err := skel.Compile(change.text)
	if err != nil {
		return server.Summary{}, &server.RequestError{Problems: transformProblems(err)}
	}
	dir, err := export.MakeSpool(opts.SpoolDir)
	if err != nil {
		return server.Summary{}, fmt.Errorf("export: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "export.sktrace")
	exported, err := writeExport(ctx, snapshot, wanted, path, opts)
	if err != nil {
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
		// Nothing is sent before all events have been processed and the effects of the commands are
		// known, so that an error of the program can still be the response.
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
	unmatched, err := findUnmatched(ctx, program, summary, path)
	if err != nil {
		return server.Summary{}, fmt.Errorf("transform the export: %w", err)
	}
	if change.strict && len(unmatched) > 0 {
		return server.Summary{}, &server.RequestError{Problems: unmatchedProblems(unmatched)}
	}
	if err := result.send(); err != nil {
		return server.Summary{}, fmt.Errorf("transform the export: %w", err)
	}
	report := &simkubev1.ExportReport{LeftOut: leftOut(exported)}
	for _, u := range unmatched {
		report.Unmatched = append(report.Unmatched, simkubev1.UnmatchedCommand{Line: u.Line, Command: u.Command, Hint: u.Hint})
	}
	return server.Summary{Events: summary.EventsWritten, Objects: summary.ObjectsWritten, Start: result.start, Report: report}, nil
}

// findUnmatched returns the commands of a program that changed nothing in the export in a file.
func findUnmatched(ctx context.Context, program *skel.Program, summary *skel.Summary, path string) (_ []skel.Unmatched, err error) {
	file, err := trace.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return program.FindUnmatched(ctx, summary, file.Events())
}

// unmatchedProblems returns commands that changed nothing as problems of the request.
func unmatchedProblems(unmatched []skel.Unmatched) []simkubev1.Problem {
	var out []simkubev1.Problem
	for _, u := range unmatched {
		message := "the command changes nothing: " + u.Command
		if u.Hint != "" {
			message += " (" + u.Hint + ")"
		}
		out = append(out, simkubev1.Problem{Field: transformField, Line: u.Line, Message: message})
	}
	return out
}

// writeExport exports into a file.
func writeExport(ctx context.Context, snapshot export.Source, wanted export.Request, path string, opts export.Options) (_ export.Summary, err error) {
	file, err := os.Create(path)
	if err != nil {
		return export.Summary{}, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return export.Run(ctx, snapshot, wanted, file, opts)
}

// transformed is a trace being written that stores the time of its first event, and whose tail is
// not written before send.
type transformed struct {
	*trace.Writer
	start int64
	tail  *trace.Tail
}

// WriteEvent implements skel.Output.
func (t *transformed) WriteEvent(e *trace.Event) error {
	if t.Events() == 0 {
		t.start = e.Time
	}
	return t.Writer.WriteEvent(e)
}

// Finish implements skel.Output.
func (t *transformed) Finish(tail *trace.Tail) error {
	t.tail = tail
	return nil
}

// send writes the tail, and with it everything that the writer kept until now.
func (t *transformed) send() error { return t.Writer.Finish(t.tail) }

func (t *transformed) close() error {
	if t.Writer == nil {
		return nil
	}
	return t.Close()
}
