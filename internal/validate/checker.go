package validate

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/exclusion"
	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
)

// Options configure a check. Apart from Config, the zero value is useful.
type Options struct {
	// Config is the trace's config. It contains the paths of pod templates and the kinds that were
	// recorded.
	Config *trace.Config
	// Ignore are codes or names of rules to leave out; see [Find]. Unknown ones have no effect.
	Ignore []string
	// KnownAPIs are API groups, or groups with a version, that the cluster of the replay serves
	// although neither Kubernetes nor the trace defines them: "batch.volcano.sh",
	// "cert-manager.io/v1".
	KnownAPIs []string
	// Shared means that the cluster of the replay has other workloads.
	Shared bool
	// Node is the node shape that pods must fit on. Default: the recorded nodes, if there are any.
	Node *nodes.Shape
	// OnFinding is called for each new finding. The finding's Count may increase later. The findings
	// of a second are reported when a later event is added, or by Finish.
	OnFinding func(*Finding)
}

// Checker checks one trace. It is not safe for concurrent use.
type Checker struct {
	opts      Options
	exclusion exclusion.Rule
	rules     []*Rule
	reader    factsReader
	seed      maphash.Seed
	paths     map[schema.GroupVersionKind][]templatePath

	objects map[objectKey]*object
	// deletedNow are the objects deleted in the current second.
	deletedNow map[objectKey]*facts
	// gone are the hashes of the keys of objects that no longer exist.
	gone map[uint64]struct{}
	// served counts the definitions of kinds.
	served map[schema.GroupVersionKind]int
	// definedOnce are the kinds that the trace defines at any time.
	definedOnce map[schema.GroupKind]bool
	security    security
	quotas      quotas
	// namespaces are those of the objects so far, and shortened those that were reported. They are not
	// used unless the cluster is shared.
	namespaces, shortened map[string]bool
	// awaited are the references to objects that may come later, by these.
	awaited map[objectKey][]awaiting
	// waiting are the manifests of the current second.
	waiting []occurrence

	// volumes is what the trace says about volumes.
	volumes *volumes.Survey

	now     position
	events  int
	applied int

	findings      map[findingKey]*Finding
	spots         map[spot]*spotUse
	mounts        map[string]mounts
	firstDemands  map[demandKey]*firstDemand
	unschedulable map[*firstDemand]bool
	patterns      map[findingKey]string // of invalid values, for SKEL
	notes         []string
	tail          *trace.Tail
}

// position is a position in the trace.
type position struct {
	event int
	time  int64
}

type objectKey struct {
	kind schema.GroupKind
	name string
}

// object is an existing object.
type object struct {
	hash uint64
	// fixed is the hash of the fields that cannot be changed, or 0.
	fixed uint64
	// created and last are the events in which the object was first and last applied.
	created, last position
	facts         *facts
}

// occurrence is a manifest, or a deletion, in an event.
type occurrence struct {
	position
	gvk   schema.GroupVersionKind
	key   objectKey
	facts *facts
	// badName is the error in the object's names, or nil.
	badName *badName
	// excluded is why every replay leaves the object out, or nil.
	excluded *exclusion.Reason
	// refused are the pods that the namespace does not allow.
	refused []refusal
	// remade means that a field changed that cannot be changed.
	remade bool
	// within is what else happened to the object within the second, or empty.
	within string
	// before is true for a deletion if the object once existed.
	before bool
}

type findingKey struct {
	rule    *Rule
	object  objectKey
	path    string
	missing string
}

// New returns a Checker for one trace.
func New(opts Options) *Checker {
	if opts.Config == nil {
		opts.Config = &trace.Config{}
	}
	c := &Checker{
		opts: opts, exclusion: exclusion.Rule{Shared: opts.Shared}, quotas: newQuotas(), reader: newFactsReader(opts.Shared), seed: maphash.MakeSeed(), paths: map[schema.GroupVersionKind][]templatePath{},
		objects: map[objectKey]*object{}, deletedNow: map[objectKey]*facts{}, awaited: map[objectKey][]awaiting{}, gone: map[uint64]struct{}{},
		served:      map[schema.GroupVersionKind]int{},
		definedOnce: map[schema.GroupKind]bool{},
		findings:    map[findingKey]*Finding{}, spots: map[spot]*spotUse{}, mounts: map[string]mounts{}, firstDemands: map[demandKey]*firstDemand{}, unschedulable: map[*firstDemand]bool{},
		patterns: map[findingKey]string{}, namespaces: map[string]bool{}, shortened: map[string]bool{},
	}
	c.volumes = volumes.NewSurvey(opts.Config)
	ignored := map[string]bool{}
	for _, name := range opts.Ignore {
		if rule, ok := Find(name); ok {
			ignored[rule.Code] = true
		}
	}
	for _, rule := range rulesFor(opts.Shared) {
		if opts.Node != nil && rule.Code == podLargerThanNodes().Code {
			rule.Severity = Warning // the user has decided on the nodes
		}
		if !ignored[rule.Code] {
			c.rules = append(c.rules, rule)
		}
	}
	return c
}

// Check checks the rest of a trace. It returns errors of the reader and of the context.
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

// Add checks the next event. The event is not retained.
func (c *Checker) Add(event *trace.Event) {
	next := position{event: c.events, time: event.Time}
	if c.events > 0 && next.time != c.now.time {
		c.flush()
	}
	for _, rule := range c.rules {
		if rule.event != nil {
			rule.event(c, rule, next)
		}
	}
	c.volumes.Add(event)
	c.now = next
	c.events++
	for i := range event.Applied {
		// The namespaces of an event are created before its other objects.
		if object := &event.Applied[i]; object.GVK().GroupKind() == namespaceKind {
			c.security.namespace(object)
		}
		c.quotas.add(&event.Applied[i], c.objects)
	}
	for i := range event.Applied {
		c.apply(&event.Applied[i])
	}
	for i := range event.Deleted {
		c.delete(&event.Deleted[i])
	}
}

// apply adds an object. Objects that it refers to may follow in the same second.
func (c *Checker) apply(o *trace.Object) {
	c.applied++
	gvk := o.GVK()
	key := objectKey{gvk.GroupKind(), o.NamespacedName()}
	hash := maphash.Bytes(c.seed, o.Raw())
	known := c.objects[key]
	if known == nil {
		known = &object{created: c.now}
		c.objects[key] = known
	}
	excluded := c.exclusion.Leaves(o)
	s := occurrence{position: c.now, gvk: gvk, key: key, badName: findBadName(o, key.name), excluded: excluded}
	switch _, gone := c.deletedNow[key]; {
	case gone:
		s.within = createdWithin
	case known.facts != nil && known.hash != hash && known.last.time == c.now.time:
		s.within = changedTwice
	}
	known.last = c.now
	delete(c.awaited, key)
	if c.opts.Shared && o.Namespace() != "" {
		c.namespaces[o.Namespace()] = true
	}
	if known.facts == nil || known.hash != hash {
		isCRD := key.kind == exclusion.Definition
		found := c.reader.read(o, c.templatePaths(gvk), isCRD)
		if isCRD {
			c.define(found.crd, 1)
			if known.facts != nil {
				c.define(known.facts.crd, -1)
			}
		}
		if excluded != nil {
			found = &facts{harmful: found.harmful, matters: excluded.Matters(o)}
		}
		fixed := c.fixed(key, o)
		s.remade = fixed != 0 && known.fixed != 0 && fixed != known.fixed
		known.hash, known.fixed, known.facts = hash, fixed, found
	}
	c.quotas.applied(key, known.facts)
	s.facts, s.refused = known.facts, c.security.refused(o, c.pointers)
	c.waiting = append(c.waiting, s)
}

func (c *Checker) delete(o *trace.Object) {
	gvk := o.GVK()
	key := objectKey{gvk.GroupKind(), o.NamespacedName()}
	if c.exclusion.Leaves(o) != nil {
		delete(c.objects, key)
		return
	}
	c.quotas.remove(key.kind, key.name)
	c.quotas.deleted(key)
	if known, ok := c.objects[key]; ok {
		if known.last.time == c.now.time {
			c.deletedWithin(key)
		}
		c.gone[maphash.Comparable(c.seed, key)] = struct{}{}
		if known.last == c.now && known.created != c.now {
			return // the deletion may have come first, so the object may exist
		}
		delete(c.objects, key)
		c.deletedNow[key] = known.facts
		return
	}
	s := occurrence{position: c.now, gvk: gvk, key: key, before: c.existedOnce(key), badName: findBadName(o, key.name)}
	for _, rule := range c.rules {
		if rule.deleted != nil {
			rule.deleted(c, rule, &s)
		}
	}
}

// flush checks what was applied in the previous second.
func (c *Checker) flush() {
	for i := range c.waiting {
		s := &c.waiting[i]
		for _, rule := range c.rules {
			if rule.object != nil && rule.excluded == (s.excluded != nil) {
				rule.object(c, rule, s)
			}
		}
		for _, t := range s.facts.templates {
			c.mounts[t.prefix] |= t.mounts
		}
	}
	clear(c.waiting)
	c.waiting = c.waiting[:0]
	for _, f := range c.deletedNow {
		c.define(f.crd, -1)
	}
	clear(c.deletedNow)
}

// Finish ends the check and returns its report. It must be called once; tail may be nil.
func (c *Checker) Finish(tail *trace.Tail) *Report {
	c.flush()
	c.tail = tail
	for _, rule := range c.rules {
		if rule.finish != nil {
			rule.finish(c, rule, tail)
		}
	}
	report := &Report{Events: c.events, Manifests: c.applied, Notes: c.notes, shared: c.opts.Shared}
	for _, finding := range c.findings {
		report.Findings = append(report.Findings, finding)
	}
	sortFindings(report.Findings)
	report.suggest(c)
	return report
}

// exists reports whether an object exists in the current second.
func (c *Checker) exists(kind schema.GroupKind, namespacedName string) bool {
	key := objectKey{kind, namespacedName}
	if _, ok := c.objects[key]; ok {
		return true
	}
	_, ok := c.deletedNow[key]
	return ok
}

// existedOnce reports whether an object has been deleted before.
func (c *Checker) existedOnce(key objectKey) bool {
	_, ok := c.gone[maphash.Comparable(c.seed, key)]
	return ok
}

// records reports whether the trace's tracer followed a kind.
func (c *Checker) records(kind schema.GroupKind) bool {
	for gvk := range c.opts.Config.TrackedObjects {
		if gvk.GroupKind() == kind {
			return true
		}
	}
	return false
}

func (c *Checker) define(kinds []servedKind, by int) {
	for _, d := range kinds {
		c.served[schema.GroupVersionKind{Group: d.group, Version: d.version, Kind: d.kind}] += by
		c.definedOnce[schema.GroupKind{Group: d.group, Kind: d.kind}] = true
	}
}

// pointers returns the paths of the pod templates of a kind.
func (c *Checker) pointers(gvk schema.GroupVersionKind) []string {
	pointers := c.opts.Config.PodSpecTemplatePaths(gvk)
	if version, ok := movedTo(gvk); ok && len(pointers) == 0 {
		pointers = c.opts.Config.PodSpecTemplatePaths(gvk.GroupKind().WithVersion(version))
	}
	return pointers
}

func (c *Checker) templatePaths(gvk schema.GroupVersionKind) []templatePath {
	if paths, ok := c.paths[gvk]; ok {
		return paths
	}
	pointers := c.pointers(gvk)
	paths := make([]templatePath, 0, len(pointers))
	for _, pointer := range pointers {
		paths = append(paths, newTemplatePath(pointer))
	}
	c.paths[gvk] = slices.Clip(paths)
	return paths
}

// report adds a finding, or increases its count. missing distinguishes findings at the same path at
// different times. message is called once.
func (c *Checker) report(rule *Rule, s *occurrence, path, missing string, message func() string) {
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
