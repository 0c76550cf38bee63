package traceconvert

import (
	"context"
	"errors"
	"fmt"

	"simkube.io/simkube/trace"
)

// rewrite converts a trace of any version to the latest version.
func rewrite(ctx context.Context, input, output string, opts Options) (_ Summary, err error) {
	in, err := trace.Open(input)
	if err != nil {
		if opts.Name != input {
			err = fmt.Errorf("%s: %w", opts.Name, err)
		}
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	var summary Summary
	late, offset := 0, in.Offset()
	out, err := trace.Create(output, in.Config(), trace.WriterOptions{Expected: in.Len()})
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	for event, err := range in.Events() {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return Summary{}, fmt.Errorf("%s: %w", opts.Name, err)
		}
		opts.Progress(int(in.Offset() - offset))
		offset = in.Offset()
		if summary.Events == 0 {
			summary.Start = event.Time
		} else if event.Time < summary.End {
			late++
			event.Time = summary.End
		}
		summary.End = event.Time
		if err := out.WriteEvent(event); err != nil {
			return Summary{}, err
		}
		summary.Events++
		summary.Applied += int64(len(event.Applied))
		summary.Deleted += int64(len(event.Deleted))
	}
	tail, err := in.Tail()
	if err != nil {
		return Summary{}, fmt.Errorf("%s: %w", opts.Name, err)
	}
	if err := out.Finish(tail); err != nil {
		return Summary{}, err
	}
	for _, names := range tail.Index {
		summary.Indexed += len(names)
	}
	for _, hashes := range tail.Lifecycles {
		for _, list := range hashes {
			summary.Lifecycles += len(list)
		}
	}
	if late > 0 {
		summary.Notes = append(summary.Notes, fmt.Sprintf("events earlier than the previous one: %d (moved to its time)", late))
	}
	return summary, nil
}
