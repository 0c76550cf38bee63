package skel

import (
	"bytes"
	"slices"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/machine"
	"simkube.io/simkube/trace"
)

// The minimum size of a batch of events.
const (
	batchBytes  = 256 << 10
	batchEvents = 1 << 10
)

// batch is a group of events that a worker transforms.
type batch struct {
	first   int // index of the first event
	in      trace.Batch
	results []eventResult
	// outcomes, objects and records are the memory that results refer to.
	outcomes []outcome
	objects  []outObject
	records  []recordOutcome
	arena    []byte
	err      error
	done     chan struct{}
}

// maxArena is the maximum size of the memory for manifests that a batch keeps for reuse.
const maxArena = 1 << 20

func (b *batch) reset(first int) {
	b.first = first
	b.in.Reset()
	b.results, b.outcomes, b.objects, b.records = b.results[:0], b.outcomes[:0], b.objects[:0], b.records[:0]
	if cap(b.arena) > maxArena {
		*b = batch{in: b.in, first: first}
	}
	b.arena, b.err = b.arena[:0], nil
	b.done = make(chan struct{})
}

// eventResult is the result of an event.
type eventResult struct {
	// touched: something changed, or the history needs the event. Otherwise the other fields are
	// empty.
	touched bool
	// applied and deleted are ranges of the batch's outcomes and records.
	applied, deleted span
}

type span struct{ from, to int }

// outcome is the result of an applied object: a range of the batch's objects.
type outcome struct {
	objects span
	// same: the object is unchanged.
	same bool
}

// outObject is an object that results from another one.
type outObject struct {
	object trace.Object
	shift  int64
	// moved is the effective shift, which is less than shift if the start of the trace limits it.
	moved int64
	// indexed: its hash may differ from that in the trace's index.
	indexed bool
}

// recordOutcome is the result for the record of a deleted object, computed from the record alone.
type recordOutcome struct {
	object trace.Object
	// dropped: the record is dropped; copied: the records of the object's copies are not.
	dropped, copied bool
	shift           int64
}

// worker runs the program on batches.
type worker struct {
	program *Program
	traits  machine.Traits
	machine *machine.Machine
	parser  trace.ObjectParser
}

func (r *run) newWorker() *worker {
	p := r.program
	return &worker{program: p, traits: p.code.Traits(), machine: machine.New(p.code, r.start, machine.DefaultLimits())}
}

// work runs the program on a batch. It stops at the first error.
func (w *worker) work(b *batch) {
	defer close(b.done)
	// The result is about as large as the batch, unless the program makes copies.
	w.machine.SetMemory(slices.Grow(b.arena, b.in.Size()+b.in.Size()/8))
	for i := range b.in.Events {
		e := &b.in.Events[i]
		if err := w.event(b, b.first+i, e); err != nil {
			b.err = err
			break
		}
	}
	b.arena = w.machine.Memory()
}

func (w *worker) event(b *batch, number int, e *trace.Event) error {
	w.machine.Event(e.Time)
	result := eventResult{touched: w.traits.DropsSome, applied: span{from: len(b.outcomes)}, deleted: span{from: len(b.records)}}
	for i := range e.Applied {
		obj := &e.Applied[i]
		outputs, err := w.machine.Apply(obj, 0)
		if err != nil {
			return w.program.failed(number, e.Time, obj, err)
		}
		out, err := w.outcome(b, obj, outputs)
		if err != nil {
			return w.program.failed(number, e.Time, obj, err)
		}
		result.touched = result.touched || !out.same
		b.outcomes = append(b.outcomes, out)
	}
	if w.traits.Tracks() {
		for i := range e.Deleted {
			out, err := w.record(&e.Deleted[i])
			if err != nil {
				return w.program.failed(number, e.Time, &e.Deleted[i], err)
			}
			b.records = append(b.records, out)
		}
		result.touched = result.touched || len(e.Deleted) > 0
	}
	if !result.touched {
		b.outcomes, b.records = b.outcomes[:result.applied.from], b.records[:result.deleted.from]
	}
	result.applied.to, result.deleted.to = len(b.outcomes), len(b.records)
	b.results = append(b.results, result)
	return nil
}

// outcome converts the outputs of the machine for an object.
func (w *worker) outcome(b *batch, obj *trace.Object, outputs []machine.Output) (outcome, error) {
	same := len(outputs) == 1 && outputs[0].Raw == nil && outputs[0].Shift == 0
	if same && !w.traits.DropsSome {
		return outcome{same: true}, nil
	}
	out := outcome{objects: span{from: len(b.objects)}, same: same}
	for _, o := range outputs {
		made := outObject{object: *obj, shift: o.Shift}
		if o.Raw != nil {
			var err error
			if made.object, err = w.object(obj, &o); err != nil {
				return outcome{}, err
			}
		}
		made.indexed = w.traits.DropsSome || o.Raw != nil && (!bytes.Equal(made.object.Spec(), obj.Spec()) || !o.Same && !sameObject(&made.object, obj))
		b.objects = append(b.objects, made)
	}
	out.objects.to = len(b.objects)
	return out, nil
}

// object creates an object from an output of the machine.
func (w *worker) object(of *trace.Object, o *machine.Output) (trace.Object, error) {
	if !o.Same {
		return w.parser.Parse(o.Raw)
	}
	at := func(s document.Section) trace.Section { return trace.Section(s) }
	s := &o.Sections
	return of.Rewritten(o.Raw, trace.Sections{Namespace: at(s.Namespace), Name: at(s.Name), Labels: at(s.Labels), Spec: at(s.Spec)}), nil
}

// sameObject reports whether two manifests are of the same object.
func sameObject(a, b *trace.Object) bool {
	return a.GVK() == b.GVK() && a.Name() == b.Name() && a.Namespace() == b.Namespace()
}

func (w *worker) record(obj *trace.Object) (recordOutcome, error) {
	// an old trace may hold the whole manifest
	plain, err := trace.NewDeleted(obj.GVK(), obj.NamespacedName())
	if err != nil {
		return recordOutcome{}, err
	}
	found, err := w.machine.Delete(&plain)
	if err != nil {
		return recordOutcome{}, err
	}
	out := recordOutcome{object: plain, dropped: found.Dropped, copied: found.Copied, shift: found.Shift}
	if found.Raw != nil {
		out.object, err = w.parser.Parse(found.Raw)
	}
	return out, err
}
