package trace

import (
	"fmt"
	"iter"

	"github.com/tinylib/msgp/msgp"
)

// EventStream is an event whose objects need not be in memory at the same time.
type EventStream struct {
	// Time is in unix seconds.
	Time             int64
	Applied, Deleted ObjectStream
}

// ObjectStream is a sequence of objects.
type ObjectStream struct {
	// Count is the number of objects.
	Count int
	// Objects yields the objects; each is used before the next is requested. It may be nil if Count is
	// 0. The sequence ends after an error.
	Objects iter.Seq2[*Object, error]
}

// WriteEventStream writes an event as WriteEvent does, without holding it in memory. Errors cannot
// be undone: if an object is invalid, a sequence yields an error, or the number of objects is not
// Count (ErrCount), the Writer returns that error from then on.
func (w *Writer) WriteEventStream(e *EventStream) error {
	if err := w.checkOrder(e.Time); err != nil {
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

// objectStream writes one of an event's lists. The content of w.event is written before it.
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
