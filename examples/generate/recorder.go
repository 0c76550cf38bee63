package main

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

var (
	kindDeployment    = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	kindStatefulSet   = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}
	kindDaemonSet     = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "DaemonSet"}
	kindJob           = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "Job"}
	kindCronJob       = schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}
	kindPod           = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	kindService       = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	kindConfigMap     = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	kindBudget        = schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}
	kindPriorityClass = schema.GroupVersionKind{Group: "scheduling.k8s.io", Version: "v1", Kind: "PriorityClass"}
)

// manifest is any typed object that a trace can hold.
type manifest interface {
	runtime.Object
	metav1.Object
}

// recorder records what happens to a cluster, in any order, and creates a trace of it.
type recorder struct {
	start      time.Time
	length     time.Duration
	changes    []change
	lifecycles trace.Lifecycles
	err        error // the first error; returned by trace
}

// change is an object that was applied or deleted, with the time since the start.
type change struct {
	at      time.Duration
	object  trace.Object
	deleted bool
}

func newRecorder(start time.Time, length time.Duration) *recorder {
	return &recorder{start: start, length: length, lifecycles: trace.Lifecycles{}}
}

// apply records the current version of an object. The object may be changed and applied again
// afterwards.
func (r *recorder) apply(at time.Duration, object manifest) { r.record(at, object, false) }

// remove records the deletion of an object.
func (r *recorder) remove(at time.Duration, object manifest) { r.record(at, object, true) }

func (r *recorder) record(at time.Duration, object manifest, deleted bool) {
	if at >= r.length || r.err != nil {
		return
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		r.err = fmt.Errorf("convert %s: %w", object.GetName(), err)
		return
	}
	// A recording has neither: the status is not recorded, and the empty creation time is an artifact
	// of the Go types.
	delete(content, "status")
	dropNulls(content)
	converted, err := trace.NewObject(&unstructured.Unstructured{Object: content})
	if err != nil {
		r.err = fmt.Errorf("record %s: %w", object.GetName(), err)
		return
	}
	r.changes = append(r.changes, change{at: at, object: converted, deleted: deleted})
}

func dropNulls(value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if inner == nil {
				delete(value, key)
				continue
			}
			dropNulls(inner)
		}
	case []any:
		for _, inner := range value {
			dropNulls(inner)
		}
	}
}

// recordRun records when the containers of a pod ran. If it ends after the trace, it is recorded as
// running.
func (r *recorder) recordRun(kind schema.GroupVersionKind, owner metav1.Object, spec *corev1.PodSpec, from, to time.Duration) {
	if from >= r.length || r.err != nil {
		return
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(spec)
	if err != nil {
		r.err = fmt.Errorf("convert the pod of %s: %w", owner.GetName(), err)
		return
	}
	dropNulls(content)
	hash, err := trace.HashPodSpec(content)
	if err != nil {
		r.err = fmt.Errorf("hash the pod of %s: %w", owner.GetName(), err)
		return
	}
	lifecycle := trace.Lifecycle{State: trace.Running, Start: r.unix(from)}
	if to < r.length {
		lifecycle.State, lifecycle.End = trace.Finished, r.unix(to)
	}
	key := trace.PodOwner{GVK: kind, Name: trace.NamespacedName(owner.GetNamespace(), owner.GetName())}
	if r.lifecycles[key] == nil {
		r.lifecycles[key] = map[uint64][]trace.Lifecycle{}
	}
	r.lifecycles[key][hash] = append(r.lifecycles[key][hash], lifecycle)
}

func (r *recorder) unix(at time.Duration) int64 { return r.start.Add(at).Unix() }

// trace returns the recorded changes as a trace, in time order.
func (r *recorder) trace() (*trace.Trace, error) {
	if r.err != nil {
		return nil, r.err
	}
	out := &trace.Trace{Config: config(), Index: trace.Index{}, Lifecycles: r.lifecycles}
	slices.SortStableFunc(r.changes, func(a, b change) int { return int(a.at/time.Second) - int(b.at/time.Second) })
	for _, change := range r.changes {
		at := r.unix(change.at)
		if n := len(out.Events); n == 0 || out.Events[n-1].Time != at {
			out.Events = append(out.Events, trace.Event{Time: at})
		}
		event := &out.Events[len(out.Events)-1]
		if change.deleted {
			event.Deleted = append(event.Deleted, change.object)
		} else {
			event.Applied = append(event.Applied, change.object)
		}
	}
	for i := range out.Events {
		out.Index.Record(&out.Events[i])
	}
	return out, nil
}

// config returns the tracer configuration of this cluster.
func config() trace.Config {
	return trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		kindDeployment:    {},
		kindStatefulSet:   {},
		kindDaemonSet:     {},
		kindJob:           {TrackLifecycle: true, SkipOwned: true},
		kindCronJob:       {TrackLifecycle: true},
		kindPod:           {TrackLifecycle: true, SkipOwned: true},
		kindService:       {},
		kindConfigMap:     {},
		kindBudget:        {},
		kindPriorityClass: {},
	}}
}
