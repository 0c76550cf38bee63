package validate

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/trace"
)

// Options say what is checked. The zero value is useful, but for Config.
type Options struct {
	// Config is the trace's: it tells where pod templates are, and which kinds were recorded at all.
	Config *trace.Config
	// Ignore are the codes or names of rules that are left out; what is none is ignored, see [Find].
	Ignore []string
	// KnownAPIs are groups, or groups with a version, that the cluster of the replay serves although neither Kubernetes nor the trace
	// defines them: "batch.volcano.sh", "cert-manager.io/v1".
	KnownAPIs []string
	// Node is what pods must fit on. Nil: the nodes that the trace recorded, if it did.
	Node *nodes.Shape
	// OnFinding is called with each finding when it is made. Its Count goes on growing. The findings of a second are made when a later
	// event was added, or with Finish.
	OnFinding func(*Finding)
}

// Checker checks one trace. It is not safe for concurrent use.
type Checker struct {
	opts   Options
	rules  []*Rule
	reader factsReader
	seed   maphash.Seed
	paths  map[schema.GroupVersionKind][]templatePath

	objects map[objectKey]*object
	// died are those that were deleted in the present second.
	died map[objectKey]*facts
	// gone are the hashes of the keys of objects that existed and do no more.
	gone map[uint64]struct{}
	// served counts the definitions of kinds.
	served map[schema.GroupVersionKind]int
	// waiting are the manifests of the present second.
	waiting []sighting

	now     moment
	events  int
	applied int

	findings map[findingKey]*Finding
	spots    map[spot]*spotUse
	mounts   map[string]mounts
	asks     map[askKey]*ask
	unfit    map[*ask]bool
	patterns map[findingKey]string // of unbearable values, for SKEL
	notes    []string
	tail     *trace.Tail
}

// moment is where in the trace the checker is.
type moment struct {
	event int
	time  int64
}

type objectKey struct {
	kind schema.GroupKind
	name string
}

// object is one that exists.
type object struct {
	hash  uint64
	facts *facts
}

// sighting is a manifest, or a deletion, in an event.
type sighting struct {
	moment
	gvk   schema.GroupVersionKind
	key   objectKey
	facts *facts
	// badName is what is wrong with the object's names, or nil.
	badName *badName
	// before tells of a deletion that the object did exist once.
	before bool
}

type findingKey struct {
	rule    *Rule
	object  objectKey
	path    string
	missing string
}

// New starts a check.
func New(opts Options) *Checker {
	if opts.Config == nil {
		opts.Config = &trace.Config{}
	}
	c := &Checker{
		opts: opts, reader: newFactsReader(), seed: maphash.MakeSeed(), paths: map[schema.GroupVersionKind][]templatePath{},
		objects: map[objectKey]*object{}, died: map[objectKey]*facts{}, gone: map[uint64]struct{}{},
		served:   map[schema.GroupVersionKind]int{},
		findings: map[findingKey]*Finding{}, spots: map[spot]*spotUse{}, mounts: map[string]mounts{}, asks: map[askKey]*ask{}, unfit: map[*ask]bool{},
		patterns: map[findingKey]string{},
	}
	ignored := map[string]bool{}
	for _, name := range opts.Ignore {
		if rule, ok := Find(name); ok {
			ignored[rule.Code] = true
		}
	}
	for _, rule := range Rules() {
		if !ignored[rule.Code] {
			c.rules = append(c.rules, rule)
		}
	}
	return c
}

// Check checks the rest of a trace. Errors are those of the reader, and of the context.
func Check(ctx context.Context, reader *trace.Reader, opts Options) (*Report, error) {
	opts.Config = reader.Config()
	c := New(opts)
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("check the trace: %w", context.Cause(ctx))
		}
		event, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		c.Add(event)
	}
	tail, err := reader.Tail()
	if err != nil {
		return nil, err
	}
	return c.Finish(tail), nil
}

// Add takes in the next event, of which nothing is kept.
func (c *Checker) Add(event *trace.Event) {
	next := moment{event: c.events, time: event.Time}
	if c.events > 0 && next.time != c.now.time {
		c.flush()
	}
	for _, rule := range c.rules {
		if rule.event != nil {
			rule.event(c, rule, next)
		}
	}
	c.now = next
	c.events++
	for i := range event.Applied {
		c.apply(&event.Applied[i])
	}
	for i := range event.Deleted {
		c.delete(&event.Deleted[i])
	}
}

// apply makes an object exist. What it refers to may come later in the same second.
func (c *Checker) apply(o *trace.Object) {
	c.applied++
	gvk := o.GVK()
	key := objectKey{gvk.GroupKind(), o.NamespacedName()}
	hash := maphash.Bytes(c.seed, o.Raw())
	known := c.objects[key]
	if known == nil {
		known = &object{}
		c.objects[key] = known
	}
	if known.facts == nil || known.hash != hash {
		isCRD := key.kind == crdKind
		found := c.reader.read(o, c.templatePaths(gvk), isCRD)
		if isCRD {
			c.define(found.crd, 1)
			if known.facts != nil {
				c.define(known.facts.crd, -1)
			}
		}
		known.hash, known.facts = hash, found
	}
	c.waiting = append(c.waiting, sighting{moment: c.now, gvk: gvk, key: key, facts: known.facts, badName: findBadName(o, key.name)})
}

func (c *Checker) delete(o *trace.Object) {
	gvk := o.GVK()
	key := objectKey{gvk.GroupKind(), o.NamespacedName()}
	if known, ok := c.objects[key]; ok {
		delete(c.objects, key)
		c.died[key] = known.facts
		c.gone[maphash.Comparable(c.seed, key)] = struct{}{}
		return
	}
	s := sighting{moment: c.now, gvk: gvk, key: key, before: c.existedOnce(key), badName: findBadName(o, key.name)}
	for _, rule := range c.rules {
		if rule.deleted != nil {
			rule.deleted(c, rule, &s)
		}
	}
}

// flush judges what was applied in the second that is over.
func (c *Checker) flush() {
	for i := range c.waiting {
		s := &c.waiting[i]
		for _, rule := range c.rules {
			if rule.object != nil {
				rule.object(c, rule, s)
			}
		}
		for _, t := range s.facts.templates {
			c.mounts[t.prefix] |= t.mounts
		}
	}
	clear(c.waiting)
	c.waiting = c.waiting[:0]
	for _, f := range c.died {
		c.define(f.crd, -1)
	}
	clear(c.died)
}

// Finish ends the check and gives its report. It is called once; the tail may be nil where there is none.
func (c *Checker) Finish(tail *trace.Tail) *Report {
	c.flush()
	c.tail = tail
	for _, rule := range c.rules {
		if rule.finish != nil {
			rule.finish(c, rule, tail)
		}
	}
	report := &Report{Events: c.events, Manifests: c.applied, Notes: c.notes}
	for _, finding := range c.findings {
		report.Findings = append(report.Findings, finding)
	}
	sortFindings(report.Findings)
	report.suggest(c)
	return report
}

// exists tells whether an object was there in the present second.
func (c *Checker) exists(kind schema.GroupKind, namespacedName string) bool {
	key := objectKey{kind, namespacedName}
	if _, ok := c.objects[key]; ok {
		return true
	}
	_, ok := c.died[key]
	return ok
}

// existedOnce tells whether an object was deleted at any time.
func (c *Checker) existedOnce(key objectKey) bool {
	_, ok := c.gone[maphash.Comparable(c.seed, key)]
	return ok
}

// records tells whether the trace's tracer followed a kind.
func (c *Checker) records(kind schema.GroupKind) bool {
	for gvk := range c.opts.Config.TrackedObjects {
		if gvk.GroupKind() == kind {
			return true
		}
	}
	return false
}

func (c *Checker) define(kinds []definition, by int) {
	for _, d := range kinds {
		c.served[schema.GroupVersionKind{Group: d.group, Version: d.version, Kind: d.kind}] += by
	}
}

func (c *Checker) templatePaths(gvk schema.GroupVersionKind) []templatePath {
	if paths, ok := c.paths[gvk]; ok {
		return paths
	}
	pointers := c.opts.Config.PodSpecTemplatePaths(gvk)
	if version, ok := movedTo(gvk); ok && len(pointers) == 0 {
		pointers = c.opts.Config.PodSpecTemplatePaths(gvk.GroupKind().WithVersion(version))
	}
	paths := make([]templatePath, 0, len(pointers))
	for _, pointer := range pointers {
		paths = append(paths, newTemplatePath(pointer))
	}
	c.paths[gvk] = slices.Clip(paths)
	return paths
}

// report notes a finding, or that it is there again. missing tells apart what is found at one place at different times; message is asked
// for once.
func (c *Checker) report(rule *Rule, s *sighting, path, missing string, message func() string) {
	key := findingKey{rule, s.key, path, missing}
	if known, ok := c.findings[key]; ok {
		known.Count++
		return
	}
	finding := &Finding{
		Rule: rule, Object: &Object{GVK: s.gvk, Name: s.key.name}, Path: path, Message: message(),
		Event: s.event, Time: s.time, Count: 1,
	}
	c.add(key, finding)
}

func (c *Checker) add(key findingKey, finding *Finding) {
	c.findings[key] = finding
	if c.opts.OnFinding != nil {
		c.opts.OnFinding(finding)
	}
}
