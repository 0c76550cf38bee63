package skel

import (
	"bytes"
	"slices"

	"simkube.io/simkube/skel/internal/document"
	"simkube.io/simkube/skel/internal/machine"
	"simkube.io/simkube/trace"
)

// What a batch of events holds at least before it is worked on.
const (
	batchBytes  = 256 << 10
	batchEvents = 1 << 10
)

// batch is a number of events on their way through the workers.
type batch struct {
	first   int // number of the first event
	in      trace.Batch
	results []eventResult
	// outcomes, objects and records are what results are parts of.
	outcomes []outcome
	objects  []outObject
	records  []recordOutcome
	arena    []byte
	err      error
	done     chan struct{}
}

// maxArena is how much memory for manifests a batch keeps to be used again.
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

// eventResult is what became of an event.
type eventResult struct {
	// touched: not everything is as it was, or the ledger wants to know of it. Otherwise the rest is empty.
	touched bool
	// applied and deleted are parts of the batch's outcomes and records.
	applied, deleted span
}

type span struct{ from, to int }

// outcome is what became of an applied object: a part of the batch's objects.
type outcome struct {
	objects span
	// same: it is one object, as it was.
	same bool
}

// outObject is an object that another one became.
type outObject struct {
	object trace.Object
	shift  int64
	// moved is by how much it is moved in the end, which is less where the trace's first event is in the way.
	moved int64
	// indexed: its hash may not be the one that the trace's index has.
	indexed bool
}

// recordOutcome is what became of the record of a deleted object, as far as the record tells.
type recordOutcome struct {
	object trace.Object
	// dropped: it goes; copied: those of the copies of its object do not.
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

// work runs the program on a batch. The first error ends it.
func (w *worker) work(b *batch) {
	defer close(b.done)
	// What becomes of the batch is about as large as it is, unless a program makes copies.
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

// outcome makes objects of what came out of the machine for an object.
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
		made.indexed = w.traits.DropsSome || o.Raw != nil && (!bytes.Equal(made.object.Spec(), obj.Spec()) || !o.Same && !identical(&made.object, obj))
		b.objects = append(b.objects, made)
	}
	out.objects.to = len(b.objects)
	return out, nil
}

// object makes an object of a manifest that came out of the machine.
func (w *worker) object(of *trace.Object, o *machine.Output) (trace.Object, error) {
	if !o.Same {
		return w.parser.Parse(o.Raw)
	}
	at := func(s document.Section) trace.Section { return trace.Section(s) }
	s := &o.Sections
	return of.Rewritten(o.Raw, trace.Sections{Namespace: at(s.Namespace), Name: at(s.Name), Labels: at(s.Labels), Spec: at(s.Spec)}), nil
}

// identical tells whether two manifests are of the same object.
func identical(a, b *trace.Object) bool {
	return a.GVK() == b.GVK() && a.Name() == b.Name() && a.Namespace() == b.Namespace()
}

func (w *worker) record(obj *trace.Object) (recordOutcome, error) {
	plain, err := trace.NewDeleted(obj.GVK(), obj.NamespacedName()) // an old trace may have all of the manifest
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
