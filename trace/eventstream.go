package trace

import (
	"fmt"
	"iter"

	"github.com/tinylib/msgp/msgp"
)

// EventStream is an event whose objects need not be in memory at once.
type EventStream struct {
	// Time is in unix seconds.
	Time             int64
	Applied, Deleted ObjectStream
}

// ObjectStream gives objects one by one.
type ObjectStream struct {
	// Count is how many objects there are.
	Count int
	// Objects gives them; each is used until the next is asked for. It may be nil where there are none. An error is the last thing given.
	Objects iter.Seq2[*Object, error]
}

// WriteEventStream writes an event as WriteEvent does, without holding it. There is no way back: when an object is refused, a sequence gives an
// error, or there are not as many objects as counted (ErrCount), the Writer gives that error for ever.
func (w *Writer) WriteEventStream(e *EventStream) error {
	if err := w.admit(e.Time); err != nil {
		return err
	}
	if err := w.eventStream(e); err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("write event %d: %w", w.events, err)
		}
		return w.err
	}
	w.events++
	w.last = e.Time
	return nil
}

func (w *Writer) eventStream(e *EventStream) error {
	w.event = appendInt(msgp.AppendString(msgp.AppendMapHeader(w.event[:0], 3), "ts"), e.Time)
	if err := w.objectStream("applied_objs", &e.Applied, (*Object).appendCanonical); err != nil {
		return err
	}
	return w.objectStream("deleted_objs", &e.Deleted, (*Object).appendDeleted)
}

// objectStream writes one of an event's lists. What is in w.event stands in front of it.
func (w *Writer) objectStream(key string, objects *ObjectStream, encode func(*Object, []byte) ([]byte, error)) error {
	if objects.Count < 0 || uint64(objects.Count) > maxEvents {
		return fmt.Errorf("%s: %d objects: %w", key, objects.Count, ErrCount)
	}
	w.event = msgp.AppendArrayHeader(msgp.AppendString(w.event, key), uint32(objects.Count))
	n := 0
	if objects.Objects != nil {
		for obj, err := range objects.Objects {
			if err != nil {
				return fmt.Errorf("%s: object %d: %w", key, n, err)
			}
			if w.event, err = encode(obj, w.event); err != nil {
				return fmt.Errorf("%s: object %d: %w", key, n, err)
			}
			n++
			if len(w.event) < writerBuffer {
				continue
			}
			if err := w.put(w.event); err != nil {
				return err
			}
			w.event = w.event[:0]
		}
	}
	if n != objects.Count {
		return fmt.Errorf("%s: got %d objects, %d were counted: %w", key, n, objects.Count, ErrCount)
	}
	err := w.put(w.event)
	w.event = w.event[:0]
	return err
}
