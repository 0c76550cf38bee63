package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"k8s.io/utils/clock"

	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/trace"
)

// traceInput is a trace that a command reads sequentially. It shows its progress if that takes
// long.
type traceInput struct {
	*trace.Reader
	// Name is how the user refers to it.
	Name string

	file     *os.File
	input    *inputFile
	progress *slowTransfer
}

// openTrace opens a trace at a path or a URL, or on the standard input. Its errors, and those of
// the methods, name the trace.
func (p *program) openTrace(ctx context.Context, arg string) (*traceInput, error) {
	input, err := p.fetch(ctx, arg)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(input.Path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", input.Name, reason(err)), input.Close())
	}
	t := &traceInput{Name: input.Name, file: file, input: input, progress: p.slowTransfer("reading " + input.Name)}
	if err := t.rewind(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// rewind goes back to the first event.
func (t *traceInput) rewind() (err error) {
	if _, err = t.file.Seek(0, io.SeekStart); err == nil {
		t.Reader, err = trace.NewReader(t.file)
	}
	return t.named(err)
}

// showsNone turns off the progress if lines are printed on the same terminal, because it would be
// drawn between them.
func (t *traceInput) showsNone(onTerminal bool) {
	if onTerminal {
		t.progress.close()
		t.progress = nil
	}
}

// size returns the trace's size in bytes.
func (t *traceInput) size() int64 {
	info, err := t.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// events returns the remaining events, until ctx is cancelled. It ends after an error.
func (t *traceInput) events(ctx context.Context) iter.Seq2[*trace.Event, error] {
	return func(yield func(*trace.Event, error) bool) {
		at := t.Offset()
		for event, err := range t.Events() {
			if err == nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				yield(nil, t.named(err))
				return
			}
			if !yield(event, nil) {
				return
			}
			t.progress.add(int(t.Offset() - at))
			at = t.Offset()
		}
	}
}

// Tail returns what follows the events.
func (t *traceInput) Tail() (*trace.Tail, error) {
	tail, err := t.Reader.Tail()
	return tail, t.named(err)
}

func (t *traceInput) named(err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	return nil
}

// Close closes the trace and removes temporary files.
func (t *traceInput) Close() error {
	t.progress.close()
	return errors.Join(t.file.Close(), t.input.Close())
}

// slowTransfer shows the progress of a transfer that takes longer than a moment; a nil one shows
// nothing. It is not safe for concurrent use.
type slowTransfer struct {
	p     *program
	what  string
	clock clock.PassiveClock
	begin time.Time
	bytes int
	shown *progress.Transfer
}

// quietTime is how long nothing is shown.
const quietTime = time.Second

func (p *program) slowTransfer(what string) *slowTransfer {
	s := &slowTransfer{p: p, what: what, clock: clock.RealClock{}}
	s.begin = s.clock.Now()
	return s
}

// add counts bytes that have been read.
func (s *slowTransfer) add(n int) {
	if s == nil {
		return
	}
	// Reading the clock is slow compared with reading a small event.
	const step = 1 << 20
	s.bytes += n
	if s.bytes < step {
		return
	}
	if s.shown == nil {
		if s.clock.Since(s.begin) < quietTime {
			return
		}
		s.shown = progress.NewTransfer(s.p.streams.Err, s.what, s.p.displayOptions())
	}
	s.shown.Add(s.bytes)
	s.bytes = 0
}

func (s *slowTransfer) close() {
	if s != nil && s.shown != nil {
		s.shown.Close()
	}
}
