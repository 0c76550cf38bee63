package xray

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"simkube.io/simkube/internal/timeline"
)

// PrintOptions are the options of Print. The zero value prints everything.
type PrintOptions struct {
	Query   Query
	Compile Compile
	// From and To bound the time, both inclusive, in any form that timespec accepts; empty means no
	// bound.
	From, To string
	// Diff adds the changes of manifests, and the whole manifests of new objects.
	Diff   bool
	Colour bool
}

// Print writes a trace as text: a line for each event, and one for each of its objects. It writes
// while the trace is being read. It returns no error if the reader of a pipe is gone.
func Print(ctx context.Context, w io.Writer, file *timeline.File, opts PrintOptions) error {
	p := printer{file: file, out: bufio.NewWriterSize(w, 1<<16), look: newLook(opts.Colour, false), opts: opts, last: -1}
	err := p.print(ctx)
	if flushed := p.out.Flush(); err == nil || errors.Is(flushed, syscall.EPIPE) {
		err = flushed
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

type printer struct {
	file     *timeline.File
	out      *bufio.Writer
	look     *look
	opts     PrintOptions
	from, to int64
	start    int64
	// last is the last event that was written.
	last int
}

func (p *printer) print(ctx context.Context) error {
	filter, err := p.opts.Query.filter(p.opts.Compile)
	if err != nil {
		return err
	}
	if err := p.bounds(ctx); err != nil {
		return err
	}
	selection, err := p.file.Select(filter, 0)
	if err != nil {
		return err
	}
	for more := true; more; {
		var found []timeline.Place
		at := selection.Position()
		found, more, err = selection.Next(ctx)
		if err != nil {
			return err
		}
		for _, place := range found {
			if err := p.object(place); err != nil {
				return err
			}
		}
		if p.opts.Query.Empty() {
			// Events without objects are included.
			if err := p.events(selection.Position() - 1); err != nil {
				return err
			}
		}
		if more && len(found) == 0 && selection.Position() == at {
			if err := p.await(ctx); err != nil {
				return err
			}
		}
	}
	return p.file.Progress().Err
}

// await flushes the output and waits for more.
func (p *printer) await(ctx context.Context) error {
	if err := p.out.Flush(); err != nil {
		return err
	}
	if p.file.Progress().Done {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.file.Changed():
		return nil
	}
}

// bounds parses the times. Times relative to the end of the trace need all of it.
func (p *printer) bounds(ctx context.Context) error {
	p.from, p.to = -1<<63, 1<<63-1
	p.start = p.file.Info(0).Time
	for p.file.Len() == 0 && !p.file.Progress().Done {
		if err := p.await(ctx); err != nil {
			return err
		}
		p.start = p.file.Info(0).Time
	}
	for _, b := range []struct {
		flag, text string
		to         *int64
	}{{"--from", p.opts.From, &p.from}, {"--to", p.opts.To, &p.to}} {
		if b.text == "" {
			continue
		}
		if strings.HasPrefix(b.text, "-") {
			if err := p.file.Wait(ctx); err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
		_, last, _ := p.file.Span()
		d, err := readDestination(b.text, p.start, p.start, last)
		if err == nil && d.isEvent {
			err = errNoEventHere
		}
		if err != nil {
			return &TimeError{Flag: b.flag, Value: b.text, Err: err}
		}
		*b.to = d.time
	}
	return nil
}

// within reports whether an event is to be printed.
func (p *printer) within(event int) bool {
	ts := p.file.Info(event).Time
	return p.from <= ts && ts <= p.to
}

// events writes the lines of all events up to one.
func (p *printer) events(upTo int) error {
	for p.last < upTo {
		p.last++
		if !p.within(p.last) {
			continue
		}
		if err := p.event(p.last); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) event(event int) error {
	info := p.file.Info(event)
	l := of(roleTitle, timestamp(info.Time))
	l.add(roleDim, "  "+sinceStart(info.Time, p.start))
	l.add(rolePlain, fmt.Sprintf("  event %d: %d applied, %d deleted", event+1, info.Applied, info.Deleted))
	return p.write(l)
}

func (p *printer) object(place timeline.Place) error {
	if !p.within(place.Event) {
		return nil
	}
	if p.opts.Query.Empty() {
		if err := p.events(place.Event); err != nil {
			return err
		}
	} else if place.Event > p.last {
		p.last = place.Event
		if err := p.event(place.Event); err != nil {
			return err
		}
	}
	info, ok := p.file.ObjectAt(place)
	if !ok {
		return nil
	}
	l := of(changeRole(info.Change), "  "+changeMark(info.Change)+" "+left(changeWord(info.Change, place.Event), 9))
	l.add(rolePlain, " "+clean(p.file.Object(info.Object).String()))
	if err := p.write(l); err != nil || !p.opts.Diff || info.Change == timeline.Unchanged || place.Deleted {
		return err
	}
	d, err := loadObject(p.file, place)
	if err != nil {
		return fmt.Errorf("event %d: %w", place.Event+1, err)
	}
	if !d.hasBefore {
		d.diff = all('+', d.whole)
	}
	for _, dl := range onlyChanges(d.diff) {
		l := of(opRole(dl.op), "      "+string(dl.op)+" "+dl.text)
		if err := p.write(l); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) write(l line) error {
	for _, s := range l.spans {
		if _, err := p.out.WriteString(p.look.styles.draw(s.role, false, s.text)); err != nil {
			return err
		}
	}
	return p.out.WriteByte('\n')
}
