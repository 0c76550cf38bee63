package traceedit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/trace"
)

// SliceOptions configure a slice. The zero value selects everything.
type SliceOptions struct {
	// Window returns the window [start, end), in unix seconds, given the times of the trace's first
	// and last event. Default: everything.
	Window  func(first, last int64) (start, end int64, err error)
	Filters Filters
	// PodKinds also leaves out all kinds that have no pod templates in the trace's configuration.
	PodKinds bool
	// Progress, if not nil, is called with the number of bytes read since the last call. A trace is
	// read twice.
	Progress func(n int)
}

// WindowError is returned if the window and the trace do not overlap.
type WindowError struct {
	// Name is the name of the trace. Start and End are the window, First and Last the times of the
	// first and the last event, in unix seconds.
	Name                    string
	Start, End, First, Last int64
}

// Error returns a message with the window and the times of the trace.
func (e *WindowError) Error() string {
	text := func(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
	if e.Start >= e.End {
		return fmt.Sprintf("%s: the time from %s to %s is empty", e.Name, text(e.Start), text(e.End))
	}
	window := text(e.Start) + " to " + text(e.End)
	switch {
	case e.End == math.MaxInt64:
		window = "the time from " + text(e.Start) + " on"
	case e.Start == math.MinInt64:
		window = "the time before " + text(e.End)
	}
	return fmt.Sprintf("%s: nothing of %s is in the trace, which lasts from %s to %s", e.Name, window, text(e.First), text(e.Last))
}

// Slice creates a trace from a part of another. The output appears under its path only when it is
// complete. The error is a *WindowError if the window and the trace do not overlap. If ctx is
// cancelled, it returns the cause.
func Slice(ctx context.Context, in Input, output string, opts SliceOptions) (_ Summary, err error) {
	i, err := openInput(ctx, in, opts.Progress)
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, i.close()) }()
	if opts.PodKinds {
		if opts.Filters.Kinds, err = podKinds(i.file.Config(), opts.Filters.Kinds); err != nil {
			return Summary{}, fmt.Errorf("%s: %w", i.name, err)
		}
	}
	s := &slicer{in: i, filter: newFilter(&opts.Filters), start: math.MinInt64, end: math.MaxInt64}
	if opts.Window != nil {
		if s.start, s.end, err = opts.Window(i.first, i.last); err != nil {
			return Summary{}, err
		}
	}
	s.whole = s.start <= i.first && s.end > i.last
	if i.events > 0 && (s.start >= s.end || s.end <= i.first || s.start > i.last) {
		return Summary{}, &WindowError{Name: i.name, Start: s.start, End: s.end, First: i.first, Last: i.last}
	}
	// The first event is the initial state, so nothing precedes it.
	s.start = max(s.start, i.first)
	return s.run(output)
}

// podKinds returns the kinds with pod templates, among the wanted ones if there are any.
func podKinds(config *trace.Config, wanted []schema.GroupVersionKind) ([]schema.GroupVersionKind, error) {
	var kinds []schema.GroupVersionKind
	for gvk := range config.TrackedObjects {
		if len(config.PodSpecTemplatePaths(gvk)) > 0 && (len(wanted) == 0 || slices.Contains(wanted, gvk)) {
			kinds = append(kinds, gvk)
		}
	}
	if len(kinds) == 0 {
		return nil, errors.New("no kind has pod templates")
	}
	return kinds, nil
}

type slicer struct {
	in         *input
	filter     *filter
	start, end int64
	// whole: the window contains the whole trace.
	whole bool
	out   *collector
	// present are the objects in the slice, if there are label filters.
	present map[objectKey]bool
	// state are the objects that exist at the start of the window, in the order in which they
	// appeared.
	state map[objectKey]*stateObject
	came  int
}

type stateObject struct {
	object trace.Object
	came   int
}

func (s *slicer) run(output string) (_ Summary, err error) {
	s.out, err = newCollector(output, s.config(), s.in.events, s.in.hasTimes)
	if err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, s.out.writer.Close()) }()
	if s.filter.hasLabels() {
		s.present = map[objectKey]bool{}
	}
	if err := s.events(); err != nil {
		return Summary{}, err
	}
	s.out.summary.Notes = s.in.notes
	return s.out.finish(s.lifecycles(), s.extension())
}

// config returns the trace's config with the remaining kinds.
func (s *slicer) config() *trace.Config {
	config := s.in.file.Config()
	if len(s.filter.kinds) == 0 {
		return config
	}
	kept := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}
	for gvk, tracked := range config.TrackedObjects {
		if s.filter.kinds[gvk] {
			kept.TrackedObjects[gvk] = tracked
		}
	}
	return kept
}

// events writes the events.
func (s *slicer) events() error {
	if s.start > s.in.first {
		s.state = map[objectKey]*stateObject{}
	}
	for {
		event, at, err := s.in.read()
		if err != nil {
			return err
		}
		if s.state != nil && (event == nil || at >= s.start) {
			if err := s.writeState(); err != nil {
				return err
			}
		}
		if event == nil || at >= s.end {
			return nil
		}
		if s.state != nil {
			s.note(event)
			continue
		}
		s.change(event)
		if err := s.out.write(at, s.in.next == 1); err != nil {
			return err
		}
	}
}

// note applies an event before the window to the state.
func (s *slicer) note(event *trace.Event) {
	for n := range event.Applied {
		o := &event.Applied[n]
		k := keyOf(o)
		switch kept := s.state[k]; {
		case !s.filter.key(k.gvk, k.name):
		case kept != nil:
			kept.object = o.Clone()
		default:
			s.state[k] = &stateObject{o.Clone(), s.came}
			s.came++
		}
	}
	for n := range event.Deleted {
		delete(s.state, keyOf(&event.Deleted[n]))
	}
}

// writeState writes the first event: the objects that exist at the start of the window.
func (s *slicer) writeState() error {
	objects := make([]*stateObject, 0, len(s.state))
	for k, o := range s.state {
		if !s.filter.object(&o.object) {
			continue
		}
		objects = append(objects, o)
		if s.present != nil {
			s.present[k] = true
		}
	}
	slices.SortFunc(objects, func(a, b *stateObject) int { return cmp.Compare(a.came, b.came) })
	for _, o := range objects {
		s.out.apply(o.object, 0)
	}
	s.state = nil
	return s.out.write(s.start, true)
}

// change copies the part of an event that is in the slice.
func (s *slicer) change(event *trace.Event) {
	times := s.in.millis()
	millis := func(n int) uint16 {
		if times == nil {
			return 0
		}
		return times[n]
	}
	for n := range event.Applied {
		o := &event.Applied[n]
		k := keyOf(o)
		if !s.filter.key(k.gvk, k.name) {
			continue
		}
		passes := s.filter.object(o)
		if passes {
			s.out.apply(*o, millis(n))
		} else if s.present[k] {
			// As in a watch with a selector, an object that no longer matches is deleted.
			s.out.delete(*o, millis(n))
		}
		if s.present != nil {
			s.present[k] = passes
		}
	}
	for n := range event.Deleted {
		o := &event.Deleted[n]
		k := keyOf(o)
		if !s.filter.key(k.gvk, k.name) || s.present != nil && !s.present[k] {
			continue
		}
		delete(s.present, k)
		s.out.delete(*o, millis(len(event.Applied)+n))
	}
}

// owns reports whether an owner of pods is in the slice.
func (s *slicer) owns(owner trace.PodOwner) bool {
	if s.whole && s.filter.all() {
		return true
	}
	_, ok := s.out.index[owner.GVK][owner.Name]
	return ok
}

// lifecycles returns the lifecycles that overlap the window, of owners in the slice. If the window
// contains the whole trace, they are unchanged.
func (s *slicer) lifecycles() trace.Lifecycles {
	kept := trace.Lifecycles{}
	for owner, hashes := range s.in.tail.Lifecycles {
		if !s.owns(owner) {
			continue
		}
		if s.whole {
			kept[owner] = hashes
			continue
		}
		for hash, list := range hashes {
			var left []trace.Lifecycle
			for _, l := range list {
				if lifecycle.Overlaps(l, s.start, s.end) {
					left = append(left, lifecycle.Truncate(l, s.start))
				}
			}
			if left == nil {
				continue
			}
			if kept[owner] == nil {
				kept[owner] = map[uint64][]trace.Lifecycle{}
			}
			kept[owner][hash] = left
		}
	}
	return kept
}

// extension returns the parts of x-simkube that belong to the window.
func (s *slicer) extension() *trace.Extension {
	x := s.in.extension
	if x == nil {
		return nil
	}
	kept := &trace.Extension{}
	if s.whole {
		kept.Gaps, kept.Nodes = x.Gaps, x.Nodes
	} else {
		from, to := s.start*1000, s.endMillis()
		for _, g := range x.Gaps {
			if g.From < to && max(g.To, g.From+1) > from {
				kept.Gaps = append(kept.Gaps, g)
			}
		}
		for _, n := range x.Nodes {
			if n.From < to && (n.To == 0 || n.To > from) {
				kept.Nodes = append(kept.Nodes, n)
			}
		}
	}
	for _, p := range x.Pods {
		if s.owns(p.Owner) && (s.whole || p.Created < s.endMillis() && (p.Deleted == 0 || p.Deleted >= s.start*1000)) {
			kept.Pods = append(kept.Pods, p)
		}
	}
	return kept
}

// endMillis returns the end of the window in milliseconds, or the maximum if the window has no end.
func (s *slicer) endMillis() int64 {
	if s.end > math.MaxInt64/1000 {
		return math.MaxInt64
	}
	return s.end * 1000
}
