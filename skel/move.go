package skel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"simkube.io/simkube/trace"
)

// movingSink is the sink of programs that move objects in time. Objects that are moved by the same
// duration are in time order, so there is one file for each duration. The files are merged at the
// end.
type movingSink struct {
	run    *run
	spools map[int64]*spool
	// sequence is the number of events so far.
	sequence uint64
}

func (s *movingSink) before(int64) error { return nil }

func (s *movingSink) event(a *orderedEvent) error {
	s.sequence++
	if len(a.event.Applied)+len(a.event.Deleted) == 0 {
		// An event that is empty in the input is kept.
		return s.put(0, &spooled{time: a.time, sequence: s.sequence, isEmpty: true})
	}
	for i := range a.event.Applied {
		if err := s.object(a, &a.event.Applied[i], shiftAt(a.appliedShifts, i), false); err != nil {
			return err
		}
	}
	for i := range a.event.Deleted {
		if err := s.object(a, &a.event.Deleted[i], shiftAt(a.deletedShifts, i), true); err != nil {
			return err
		}
	}
	return nil
}

// shiftAt returns the shift of an object of an event; shifts may be empty.
func shiftAt(shifts []int64, i int) int64 {
	if i < len(shifts) {
		return shifts[i]
	}
	return 0
}

// moved returns the new time of an object that is moved from a time.
func (r *run) moved(time, shift int64) int64 {
	if shift >= 0 {
		return time + shift
	}
	// Objects are not moved before the start of the trace: they exist at its start instead.
	return max(time+shift, min(r.start, time))
}

func (s *movingSink) object(a *orderedEvent, obj *trace.Object, shift int64, deleted bool) error {
	return s.put(shift, &spooled{time: s.run.moved(a.time, shift), sequence: s.sequence, deleted: deleted, raw: obj.Raw()})
}

func (s *movingSink) put(shift int64, record *spooled) error {
	file := s.spools[shift]
	if file == nil {
		var err error
		if file, err = newSpool(s.run.opts.SpoolDir); err != nil {
			return fmt.Errorf("spool moved objects: %w", err)
		}
		s.spools[shift] = file
	}
	if err := file.write(record); err != nil {
		return fmt.Errorf("spool moved objects: %w", err)
	}
	return nil
}

func (s *movingSink) close() error {
	var problems []error
	for _, file := range s.spools {
		problems = append(problems, file.close())
	}
	return errors.Join(problems...)
}

// finish merges the files.
func (s *movingSink) finish(ctx context.Context) error {
	for _, file := range s.spools {
		if err := file.rewind(); err != nil {
			return fmt.Errorf("read moved objects: %w", err)
		}
	}
	direct := &directSink{run: s.run}
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		time, some := s.nextTime()
		if !some {
			return direct.finish(ctx)
		}
		events, err := s.of(time)
		if err != nil {
			return fmt.Errorf("read moved objects: %w", err)
		}
		if err := direct.before(time); err != nil {
			return err
		}
		for _, records := range events {
			if err := s.write(direct, time, records); err != nil {
				return err
			}
		}
	}
}

// write writes the records of one event.
func (s *movingSink) write(direct *directSink, time int64, records []spooled) error {
	event, err := mergeRecords(time, records)
	if err != nil {
		return fmt.Errorf("read moved objects: %w", err)
	}
	for i := range event.Applied {
		s.run.history.added(&event.Applied[i])
	}
	return direct.event(&orderedEvent{time: time, event: event})
}

// nextTime returns the time of the next record, if there is one.
func (s *movingSink) nextTime() (time int64, some bool) {
	time = math.MaxInt64
	for _, file := range s.spools {
		if file.next != nil {
			time, some = min(time, file.next.time), true
		}
	}
	return time, some
}

// of returns all records of one time, in the order of the input: as one event if an object was
// moved to that time, otherwise as the original events.
func (s *movingSink) of(time int64) ([][]spooled, error) {
	var out []spooled
	moved := false
	for shift, file := range s.spools {
		for file.next != nil && file.next.time == time {
			out = append(out, *file.next)
			moved = moved || shift != 0
			if err := file.advance(); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(out, func(a, b spooled) int { return cmp.Compare(a.sequence, b.sequence) })
	if moved {
		return [][]spooled{out}, nil
	}
	var events [][]spooled
	for first, i := 0, 1; i <= len(out); i++ {
		if i == len(out) || out[i].sequence != out[first].sequence {
			events = append(events, out[first:i])
			first = i
		}
	}
	return events, nil
}

// mergeRecords merges the records of one time into an event. If they come from several events, the
// last state of an object is used, because an event lists applied objects before deleted ones.
func mergeRecords(time int64, records []spooled) (trace.Event, error) {
	e := trace.Event{Time: time}
	var parser trace.ObjectParser
	type lastRecords struct {
		applied, deleted int // the index of the last record of each kind, from 1
	}
	fates := map[objectKey]lastRecords{}
	several := len(records) > 0 && records[0].sequence != records[len(records)-1].sequence
	objects := make([]trace.Object, len(records))
	for i := range records {
		if records[i].isEmpty {
			continue
		}
		var err error
		if objects[i], err = parser.Parse(records[i].raw); err != nil {
			return e, err
		}
		if several {
			f := fates[keyOf(&objects[i])]
			if records[i].deleted {
				f.deleted = i + 1
			} else {
				f.applied = i + 1
			}
			fates[keyOf(&objects[i])] = f
		}
	}
	for i := range records {
		if records[i].isEmpty {
			continue
		}
		if several {
			f := fates[keyOf(&objects[i])]
			if last := max(f.applied, f.deleted); i+1 != f.applied && i+1 != f.deleted || records[i].deleted && last != f.deleted {
				continue
			}
		}
		if records[i].deleted {
			e.Deleted = append(e.Deleted, objects[i])
		} else {
			e.Applied = append(e.Applied, objects[i])
		}
	}
	return e, nil
}
