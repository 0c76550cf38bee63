package nodes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/internal/workload"
	"simkube.io/simkube/trace"
)

// Survey reduces a trace to its [Demand] in one pass. It keeps no objects: only the distinct pod
// templates, a few numbers per object that has pods, and a few per change of those numbers. It is
// not safe for concurrent use.
type Survey struct {
	// OnWorkload, if not nil, is called for every version of an object with pod templates, unless it
	// equals the one before. It must not keep the manifest.
	OnWorkload func(now int64, name trace.PodOwner, manifest *unstructured.Unstructured, load *workload.Workload)

	config    *trace.Config
	volumes   *volumes.Survey // or nil
	templates []*podTemplate
	byKey     map[templateKey]int
	owners    []*owner
	byName    map[trace.PodOwner]*owner
	steps     []step
	runs      []*run
	usage     map[usageKey]int
	classes   map[classRef]bool
	admission *admission
	nodes     map[string]recordedNode
	devices   *deviceObjects
	notes     []string
	problems  int
	first     int64
	last      int64
	seen      bool
}

// owner is a tracked object that has or had pods.
type owner struct {
	index int
	name  trace.PodOwner
	// hash is the manifest hash of the version that uses and runs belong to; alive is whether the
	// object exists now.
	hash  uint64
	alive bool
	uses  []use
	runs  []*run
	// incarnations counts how often the object was created.
	incarnations int
}

type use struct {
	template int
	replicas int
}

// step changes the number of pods of a template from a time on.
type step struct {
	time     int64
	template int32
	delta    int32
}

// run is the pods of one template of a finite workload, from its creation to its deletion.
type run struct {
	owner       *owner
	incarnation int
	template    int
	replicas    int
	pods        int   // that have to finish, over all templates of the owner
	start       int64 // of this version
	created     int64 // start of the incarnation: lifecycles are relative to it
	end         int64
	ended       bool
}

type usageKey struct{ owner, template int }

// NewSurvey returns a survey of a trace with this tracer configuration.
func NewSurvey(config *trace.Config) *Survey {
	return &Survey{
		config: config,
		byKey:  map[templateKey]int{},
		byName: map[trace.PodOwner]*owner{},
		usage:  map[usageKey]int{},

		classes: map[classRef]bool{}, admission: newAdmission(),
		nodes:   map[string]recordedNode{},
		devices: &deviceObjects{claims: map[claimRef]*resourcev1.DeviceClaim{}, classes: map[string][]resourcev1.DeviceSelector{}},
	}
}

// ReadDemand surveys the rest of a trace. If window is positive, events that are more than window
// after the first one are ignored. Errors are those of the reader and of the context.
func ReadDemand(ctx context.Context, reader *trace.Reader, window time.Duration) (*Demand, error) {
	survey := NewSurvey(reader.Config())
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("survey the trace: %w", context.Cause(ctx))
		}
		event, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if window > 0 && survey.seen && time.Duration(event.Time-survey.first)*time.Second > window {
			break
		}
		survey.Add(event)
	}
	tail, err := reader.Tail()
	if err != nil {
		return nil, err
	}
	return survey.Demand(tail.Lifecycles), nil
}

// Add processes the next event; it does not keep it. An object that cannot be read is reported in
// the notes of the demand and otherwise ignored: the survey does not check whether it can be
// replayed.
func (s *Survey) Add(event *trace.Event) {
	if !s.seen {
		s.first, s.seen = event.Time, true
	}
	s.last = max(s.last, event.Time)
	for i := range event.Applied {
		object := &event.Applied[i]
		if err := s.admission.add(object); err != nil {
			s.problem(trace.PodOwner{GVK: object.GVK(), Name: object.NamespacedName()}, err)
		}
	}
	for i := range event.Applied {
		s.apply(event.Time, &event.Applied[i])
	}
	for i := range event.Deleted {
		object := &event.Deleted[i]
		s.admission.remove(object)
		if object.GVK().GroupKind() == (schema.GroupKind{Kind: "Namespace"}) {
			s.endNamespace(event.Time, object.Name())
			continue
		}
		if found := s.byName[trace.PodOwner{GVK: object.GVK(), Name: object.NamespacedName()}]; found != nil {
			s.end(event.Time, found)
			found.alive = false
		}
	}
}

func (s *Survey) apply(now int64, object *trace.Object) {
	gvk := object.GVK()
	if gvk.Group == "scheduling.k8s.io" || gvk.Group == "node.k8s.io" {
		s.classes[classRef{gvk.Kind, object.Name()}] = true
	}
	if isDeviceGroup(gvk) {
		if err := s.devices.add(object); err != nil {
			s.problem(trace.PodOwner{GVK: gvk, Name: object.NamespacedName()}, err)
		}
		return
	}
	if gvk == nodeKind {
		s.addNode(now, object)
		return
	}
	paths := s.config.PodSpecTemplatePaths(gvk)
	if len(paths) == 0 {
		return
	}
	name := trace.PodOwner{GVK: gvk, Name: object.NamespacedName()}
	found := s.byName[name]
	if found != nil && found.alive && found.hash == object.Hash() {
		return
	}
	manifest, err := object.Unstructured()
	if err != nil {
		s.problem(name, err)
		return
	}
	load, err := workload.Read(gvk, manifest.Object, paths)
	if err != nil {
		s.problem(name, err)
		return
	}
	if s.OnWorkload != nil {
		s.OnWorkload(now, name, manifest, &load)
	}
	if found == nil {
		found = &owner{index: len(s.owners), name: name}
		s.owners = append(s.owners, found)
		s.byName[name] = found
	}
	created := now
	if found.alive && len(found.runs) > 0 {
		created = found.runs[len(found.runs)-1].created
	}
	s.end(now, found)
	if !found.alive {
		found.incarnations++
	}
	found.alive, found.hash = true, object.Hash()
	s.begin(now, created, found, load)
}

// begin adds the pods of a new version of an object.
func (s *Survey) begin(now, created int64, owner *owner, load workload.Workload) {
	sums := map[int]int{}
	namespace, _ := trace.SplitNamespacedName(owner.name.Name)
	for _, templateUse := range s.place(owner.name, &load) {
		templateUse.namespace = namespace
		index, err := s.template(templateUse)
		if err != nil {
			s.problem(owner.name, err)
			continue
		}
		sums[index] += templateUse.replicas
		if key := (usageKey{owner.index, index}); sums[index] > s.usage[key] {
			s.usage[key] = sums[index]
		}
		if templateUse.replicas == 0 {
			continue
		}
		if load.Finite {
			r := &run{
				owner: owner, incarnation: owner.incarnations - 1, template: index,
				replicas: templateUse.replicas, pods: load.Pods, start: now, created: created,
			}
			s.runs = append(s.runs, r)
			owner.runs = append(owner.runs, r)
			continue
		}
		owner.uses = append(owner.uses, use{index, templateUse.replicas})
		s.steps = append(s.steps, step{now, int32(index), int32(templateUse.replicas)})
	}
}

// end removes the pods of the current version of an object.
func (s *Survey) end(now int64, owner *owner) {
	for _, u := range owner.uses {
		s.steps = append(s.steps, step{now, int32(u.template), int32(-u.replicas)})
	}
	for _, r := range owner.runs {
		r.end, r.ended = now, true
	}
	owner.uses, owner.runs = nil, nil
}

// endNamespace removes the pods of all objects in a namespace, which was deleted.
func (s *Survey) endNamespace(now int64, namespace string) {
	for _, owner := range s.owners {
		if in, _ := trace.SplitNamespacedName(owner.name.Name); in == namespace && owner.alive {
			s.end(now, owner)
			owner.alive = false
		}
	}
}

// template returns the index of the template, adding it if it is new.
func (s *Survey) template(use templateUse) (int, error) {
	key, template, err := newTemplate(use, s.admission)
	if err != nil {
		return 0, err
	}
	index, ok := s.byKey[key]
	if !ok {
		index = len(s.templates)
		s.byKey[key] = index
		s.templates = append(s.templates, template)
	}
	return index, nil
}

func (s *Survey) problem(name trace.PodOwner, err error) {
	const shown = 5
	s.problems++
	if s.problems <= shown {
		s.notes = append(s.notes, fmt.Sprintf("%s is left out of the node check: %v", describe(name.GVK, name.Name), err))
	}
}

func describe(gvk schema.GroupVersionKind, name string) string {
	return trace.FormatGVK(gvk) + " " + name
}
