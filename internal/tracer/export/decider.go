package export

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// decider determines what of the log is in the trace. Whether an object is in it after a change
// depends only on that change and the state before it, not on when it is computed.
type decider struct {
	source  Source
	filters *filters
	// kinds maps a kind to its configured version, since owner references may name another.
	kinds map[schema.GroupKind]schema.GroupVersionKind
	// to is the end of the window.
	to int64
	// last records whether objects are in the trace after their last change so far.
	last *cache[log.Key, bool]
	// passing has what is known of ancestors.
	passing *cache[log.Key, span]
	// now is the number of the current change, 0 for a part of the state.
	now log.Seq
}

// span is the range of changes of other objects for which an object passes the filters or does not:
// those after number after, up to number upTo.
type span struct {
	after, upTo log.Seq
	passes      bool
}

// forever is later than every change. Such a span ends when it is removed.
const forever = ^log.Seq(0)

func newDecider(source Source, request *Request, opts *Options) *decider {
	d := &decider{
		source:  source,
		filters: newFilters(opts.Config, &request.Filters),
		kinds:   map[schema.GroupKind]schema.GroupVersionKind{},
		to:      request.End * 1000,
		last:    newCache[log.Key, bool](opts.cached),
		passing: newCache[log.Key, span](opts.cached),
	}
	for gvk := range opts.Config.TrackedObjects {
		d.kinds[gvk.GroupKind()] = gvk
	}
	return d
}

// state reports whether an object that exists at the start of the window is in the trace.
func (d *decider) state(r *log.Record) (bool, error) {
	if !d.filters.key(r.Key) {
		return false, nil
	}
	in, err := d.in(r)
	if err == nil {
		d.last.put(r.Key, in)
	}
	return in, err
}

// change returns what a change in the window is in the trace: applied, deleted, or 0 for nothing.
// Changes must come in order.
func (d *decider) change(r *log.Record) (log.Op, error) {
	if !d.filters.key(r.Key) {
		return 0, nil
	}
	d.now = r.Seq
	if d.filters.hasLabels() {
		d.passing.drop(r.Key)
	}
	in := false
	if r.Op == log.Applied {
		var err error
		if in, err = d.in(r); err != nil {
			return 0, err
		}
	}
	op := log.Applied
	if !in {
		op = 0
		was, err := d.before(r)
		if err != nil {
			return 0, err
		}
		if was && r.Op != log.Forgotten {
			op = log.Deleted
		}
	}
	d.last.put(r.Key, in)
	return op, nil
}

// before reports whether an object was in the trace before a change of it.
func (d *decider) before(r *log.Record) (bool, error) {
	if in, known := d.last.get(r.Key); known {
		return in, nil
	}
	before, err := d.source.Before(r.Key, r.Seq)
	if err != nil || before == nil || before.Op != log.Applied {
		return false, err
	}
	return d.in(before)
}

// in reports whether an object whose key passes is in the trace as it was applied.
func (d *decider) in(r *log.Record) (bool, error) {
	owned, err := d.owned(r)
	if owned || err != nil {
		return false, err
	}
	passes, err := d.filters.object(r.Object)
	if err != nil {
		return false, fmt.Errorf("%s %s: %w", trace.FormatGVK(r.Key.GVK), r.Key.Name, err)
	}
	return passes, nil
}

// owned reports whether an object has an ancestor in the trace. It is sufficient that one passes
// the filters: either it is in the trace itself, or one of its own ancestors is, which are
// ancestors of the object, too.
func (d *decider) owned(r *log.Record) (bool, error) {
	for _, key := range r.Ancestors {
		if passes, err := d.passes(key, r); passes || err != nil {
			return passes, err
		}
	}
	if len(r.References) == 0 {
		return false, nil
	}
	// The ancestors in the log are of kinds that were tracked then. More kinds may be tracked now.
	owners, err := references(r)
	if err != nil {
		return false, err
	}
	namespace, _ := trace.SplitNamespacedName(r.Key.Name)
	for _, owner := range owners {
		gvk, tracked := d.kinds[owner.kind]
		if !tracked {
			continue
		}
		for _, name := range []string{trace.NamespacedName(namespace, owner.name), owner.name} {
			if passes, err := d.passes(log.Key{GVK: gvk, Name: name}, r); passes || err != nil {
				return passes, err
			}
		}
	}
	return false, nil
}

// passes reports whether an ancestor of a changed object passes the filters.
func (d *decider) passes(key log.Key, r *log.Record) (bool, error) {
	if !d.filters.key(key) || key == r.Key {
		return false, nil
	}
	seq := max(r.Seq, 1) // a flattened record has no number and precedes all others
	if s, ok := d.passing.get(key); ok && s.after < seq && seq <= s.upTo {
		return s.passes, nil
	}
	s, err := d.span(key, seq)
	if err != nil {
		return false, err
	}
	d.passing.put(key, s)
	return s.passes, nil
}

// span computes whether an object passes the filters for a change of another one.
func (d *decider) span(key log.Key, seq log.Seq) (span, error) {
	if !d.filters.hasLabels() {
		// It existed before the objects it owns, even if the log has it only later.
		r, err := d.known(d.source.At(key, d.to))
		return span{upTo: forever, passes: r != nil}, err
	}
	s := span{upTo: seq}
	if seq == d.now {
		s.upTo = forever // removed when the ancestor changes
	}
	r, err := d.known(d.source.Before(key, seq))
	if err == nil && r != nil {
		s.after = min(r.Seq, seq-1)
	} else if err == nil {
		r, err = d.known(d.source.At(key, d.to))
	}
	if err != nil || r == nil {
		return s, err
	}
	s.passes, err = d.filters.object(r.Object)
	return s, err
}

// known returns an object as it was when it last existed, or nil.
func (d *decider) known(r *log.Record, err error) (*log.Record, error) {
	for err == nil && r != nil && r.Op != log.Applied {
		seq := r.Seq
		r, err = d.source.Before(r.Key, seq)
		if r != nil && r.Seq >= seq {
			return nil, err
		}
	}
	return r, err
}
