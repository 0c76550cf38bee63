package tracediff

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

// tails compares everything apart from the events.
func (c *comparer) tails() error {
	for _, s := range c.sides {
		var err error
		if s.tail, err = s.file.Tail(); err != nil {
			return fmt.Errorf("%s: %w", s.summary.Name, err)
		}
	}
	if err := c.config(); err != nil {
		return err
	}
	c.index()
	c.lifecycles()
	return c.extensions()
}

// config compares the configurations.
func (c *comparer) config() error {
	a, b := c.sides[0].file.Config().TrackedObjects, c.sides[1].file.Config().TrackedObjects
	for _, gvk := range sortedKeys(a, b, trace.FormatGVK) {
		kindA, inA := a[gvk]
		kindB, inB := b[gvk]
		if inA && inB && kindA.SameMeaning(kindB, gvk) {
			continue
		}
		texts := [2]string{}
		for n, tracked := range []map[schema.GroupVersionKind]trace.TrackedObject{a, b} {
			t, ok := tracked[gvk]
			if !ok {
				continue
			}
			text, err := trackedText(t)
			if err != nil {
				return err
			}
			texts[n] = text
		}
		if texts[0] != texts[1] {
			c.report.Config = append(c.report.Config, ConfigDifference{Kind: trace.FormatGVK(gvk), A: texts[0], B: texts[1]})
		}
	}
	return nil
}

// trackedText returns the configuration of a kind as YAML.
func trackedText(t trace.TrackedObject) (string, error) {
	fields := map[string]any{}
	if len(t.PodSpecTemplatePaths) > 0 {
		fields["podSpecTemplatePaths"] = t.PodSpecTemplatePaths
	}
	if t.SkipOwned {
		fields["skipOwned"] = true
	}
	if t.TrackLifecycle {
		fields["trackLifecycle"] = true
	}
	text, err := yaml.Marshal(fields)
	return string(text), err
}

// index compares the indexes, except for objects that already differ.
func (c *comparer) index() {
	a, b := c.sides[0].tail.Index, c.sides[1].tail.Index
	for _, gvk := range sortedKeys(a, b, trace.FormatGVK) {
		for _, name := range sortedKeys(a[gvk], b[gvk], func(s string) string { return s }) {
			hashA, hashB := a[gvk][name], b[gvk][name]
			if p := c.objects[objectKey{gvk, name}]; hashA == hashB || p != nil && p.seconds > 0 {
				continue
			}
			c.report.Index = append(c.report.Index, IndexDifference{Kind: trace.FormatGVK(gvk), Name: name, A: hashA, B: hashB})
		}
	}
}

// lifecycles compares how long pods ran.
func (c *comparer) lifecycles() {
	a, b := c.sides[0].tail.Lifecycles, c.sides[1].tail.Lifecycles
	for _, owner := range sortedKeys(a, b, func(o trace.PodOwner) string { return trace.FormatGVK(o.GVK) + "\x00" + o.Name }) {
		for _, hash := range sortedKeys(a[owner], b[owner], func(h uint64) uint64 { return h }) {
			moved := slices.Clone(b[owner][hash])
			for i := range moved {
				moved[i] = c.sides[1].moved(moved[i])
			}
			if slices.Equal(a[owner][hash], moved) {
				continue
			}
			c.report.Lifecycles = append(c.report.Lifecycles, LifecycleDifference{
				Kind: trace.FormatGVK(owner.GVK), Name: owner.Name, Hash: hash, A: words(a[owner][hash]), B: words(moved),
			})
		}
	}
}

func (s *side) moved(l trace.Lifecycle) trace.Lifecycle {
	if l.State != trace.Empty {
		l.Start += s.shift
	}
	if l.State == trace.Finished {
		l.End += s.shift
	}
	return l
}

func words(list []trace.Lifecycle) []string {
	texts := make([]string, len(list))
	for i, l := range list {
		start := time.Unix(l.Start, 0).UTC().Format(time.RFC3339)
		switch l.State {
		case trace.Running:
			texts[i] = "ran from " + start
		case trace.Finished:
			texts[i] = fmt.Sprintf("ran from %s to %s (%s)", start, time.Unix(l.End, 0).UTC().Format(time.RFC3339), time.Duration(l.End-l.Start)*time.Second)
		default:
			texts[i] = "did not run"
		}
	}
	return texts
}

// extensions compares the values of x-simkube.
func (c *comparer) extensions() error {
	var parsed [2]*trace.Extension
	for n, s := range c.sides {
		if s.tail.Extension == nil {
			continue
		}
		x, err := trace.ParseExtension(s.tail.Extension)
		if errors.Is(err, trace.ErrExtensionVersion) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: x-simkube: %w", s.summary.Name, err)
		}
		parsed[n] = x
		s.moveExtension(x)
	}
	if parsed[0] == nil || parsed[1] == nil {
		if !slices.Equal(c.sides[0].tail.Extension, c.sides[1].tail.Extension) {
			c.report.Extension = []string{"x-simkube"}
		}
		return nil
	}
	a, b := parsed[0], parsed[1]
	for _, part := range []struct {
		name string
		a, b any
		n    int
	}{
		{"event_times", a.EventTimes, b.EventTimes, len(a.EventTimes) + len(b.EventTimes)},
		{"gaps", a.Gaps, b.Gaps, len(a.Gaps) + len(b.Gaps)},
		{"nodes", a.Nodes, b.Nodes, len(a.Nodes) + len(b.Nodes)},
		{"pods", a.Pods, b.Pods, len(a.Pods) + len(b.Pods)},
	} {
		if part.n > 0 && !reflect.DeepEqual(part.a, part.b) {
			c.report.Extension = append(c.report.Extension, part.name)
		}
	}
	return nil
}

// moveExtension moves the times of an extension by the shift of the trace. 0 means that there is no
// time.
func (s *side) moveExtension(x *trace.Extension) {
	move := func(times ...*int64) {
		for _, ms := range times {
			if *ms != 0 {
				*ms += s.shift * 1000
			}
		}
	}
	for i := range x.Gaps {
		move(&x.Gaps[i].From, &x.Gaps[i].To)
	}
	for i := range x.Nodes {
		move(&x.Nodes[i].From, &x.Nodes[i].To)
	}
	for i := range x.Pods {
		p := &x.Pods[i]
		move(&p.Created, &p.Scheduled, &p.Started, &p.Finished, &p.Deleted)
	}
}

// sortedKeys returns the union of the keys of two maps, sorted by the result of by.
func sortedKeys[K comparable, V any, S cmp.Ordered](a, b map[K]V, by func(K) S) []K {
	keys := make([]K, 0, max(len(a), len(b)))
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(x, y K) int { return cmp.Compare(by(x), by(y)) })
	return keys
}
