package traceedit

import (
	"context"
	"errors"
	"fmt"

	"simkube.io/simkube/internal/traceedit/content"
	"simkube.io/simkube/trace"
)

// Input is a trace file.
type Input struct {
	// Path is the path of the file, Name its name in errors. Default: its path.
	Path, Name string
}

func (i Input) name() string {
	if i.Name == "" {
		return i.Path
	}
	return i.Name
}

// input is an open trace, whose tail has already been read.
type input struct {
	name string
	file *trace.File
	tail *trace.Tail
	// extension is nil if there is none that can be read. hasTimes: it has the milliseconds of all
	// events.
	extension *trace.Extension
	hasTimes  bool
	// first and last are the times of these events, events is their number.
	first, last int64
	events      int
	hasher      content.Hasher
	// notes are messages for the user.
	notes []string

	// next is the index of the next event to be read; reached is the time of the last one.
	next     int
	reached  int64
	offset   int64
	progress func(n int)
	ctx      context.Context
}

// openInput reads and checks a whole trace, and returns it positioned before its first event.
func openInput(ctx context.Context, in Input, progress func(n int)) (_ *input, err error) {
	if progress == nil {
		progress = func(int) {}
	}
	file, err := trace.Open(in.Path)
	if err != nil {
		if in.name() != in.Path {
			err = fmt.Errorf("%s: %w", in.name(), err)
		}
		return nil, err
	}
	i := &input{name: in.name(), file: file, progress: progress, ctx: ctx}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	if err := i.scan(); err != nil {
		return nil, err
	}
	if err := file.Rewind(); err != nil {
		return nil, fmt.Errorf("%s: %w", i.name, err)
	}
	i.next, i.reached, i.offset = 0, 0, 0
	return i, nil
}

// scan reads the whole trace.
func (i *input) scan() error {
	late := 0
	var counts []int
	for {
		before := i.reached
		event, time, err := i.read()
		if err != nil {
			return err
		}
		if event == nil {
			break
		}
		if i.events == 0 {
			i.first = time
		} else if event.Time < before {
			late++
		}
		i.events++
		i.last = time
		for n := range event.Applied {
			if err := i.hasher.Sample(&event.Applied[n]); err != nil {
				return fmt.Errorf("%s: %w", i.name, err)
			}
		}
		counts = append(counts, len(event.Applied)+len(event.Deleted))
	}
	if late > 0 {
		i.notes = append(i.notes, fmt.Sprintf("%s: events earlier than the previous one: %d (moved to its time)", i.name, late))
	}
	var err error
	if i.tail, err = i.file.Tail(); err != nil {
		return fmt.Errorf("%s: %w", i.name, err)
	}
	if i.tail.Extension == nil {
		return nil
	}
	switch i.extension, err = trace.ParseExtension(i.tail.Extension); {
	case errors.Is(err, trace.ErrExtensionVersion):
		i.notes = append(i.notes, fmt.Sprintf("%s: x-simkube is ignored: %v", i.name, err))
		return nil
	case err != nil:
		return fmt.Errorf("%s: x-simkube: %w", i.name, err)
	}
	i.hasTimes = len(i.extension.EventTimes) == len(counts)
	for n := 0; i.hasTimes && n < len(counts); n++ {
		i.hasTimes = len(i.extension.EventTimes[n]) == counts[n]
	}
	return nil
}

// read returns the next event, valid until the next, and its time, which is not before that of the
// previous one. It returns nil after the last event.
func (i *input) read() (*trace.Event, int64, error) {
	if i.ctx.Err() != nil {
		return nil, 0, context.Cause(i.ctx)
	}
	event, err := i.file.Next()
	i.progress(int(i.file.Offset() - i.offset))
	i.offset = i.file.Offset()
	switch {
	case isEnd(err):
		return nil, i.reached, nil
	case err != nil:
		return nil, 0, fmt.Errorf("%s: %w", i.name, err)
	}
	if i.next == 0 || event.Time > i.reached {
		i.reached = event.Time
	}
	i.next++
	return event, i.reached, nil
}

// millis returns the milliseconds of the objects of the last event: of the applied ones, then of
// the deleted ones; nil if they are not known.
func (i *input) millis() []uint16 {
	if !i.hasTimes {
		return nil
	}
	return i.extension.EventTimes[i.next-1]
}

// hash returns a hash of the whole object.
func (i *input) hash(o *trace.Object) (uint64, error) {
	hash, err := i.hasher.Hash(o)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", i.name, err)
	}
	return hash, nil
}

func (i *input) close() error { return i.file.Close() }
