package hostile

import (
	"math/rand/v2"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// origin is the time of the first event of every trace.
const origin = 1_700_000_000

const (
	eventsPerTrace  = 4
	changesPerEvent = 8
)

// Trace returns a trace that refers to objects outside of its simulation: by names and namespaces
// that are paths, owner references, cluster-scoped objects, and references in specs. The same seed
// and the same objects outside result in the same trace.
func Trace(seed uint64, outside *Outside) trace.Trace {
	c := chooser{rand.New(rand.NewPCG(seed, 0))}
	t := trace.Trace{Config: config()}
	var former []trace.Object
	for i := range eventsPerTrace {
		event := trace.Event{Time: origin + int64(i)}
		for range changesPerEvent {
			object, ok := object(c, outside)
			if !ok {
				continue
			}
			switch {
			case c.one(3):
				event.Deleted = append(event.Deleted, deleted(&object))
			case len(former) > 0 && c.one(4):
				object = pick(c, former)
				event.Deleted = append(event.Deleted, deleted(&object))
			default:
				event.Applied = append(event.Applied, object)
				former = append(former, object)
			}
		}
		t.Events = append(t.Events, event)
	}
	return t
}

// config tracks some kinds, independently of what is in the events.
func config() trace.Config {
	return trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		{Version: "v1", Kind: "ConfigMap"}:                 {},
		{Version: "v1", Kind: "Pod"}:                       {PodSpecTemplatePaths: []string{""}},
		{Group: "apps", Version: "v1", Kind: "Deployment"}: {PodSpecTemplatePaths: []string{"/spec/template"}},
	}}
}

// object returns an object of one of the kinds; ok is false if it cannot be in a trace.
func object(c chooser, outside *Outside) (_ trace.Object, ok bool) {
	k := pick(c, kinds)
	metadata := map[string]any{"name": c.name()}
	if k.namespaced != c.one(20) { // sometimes wrong on purpose
		metadata["namespace"] = c.namespace()
	}
	decorate(c, metadata, outside)
	manifest := map[string]any{"apiVersion": k.apiVersion, "kind": k.kind, "metadata": metadata}
	if k.fill != nil {
		k.fill(c, manifest)
	}
	made, err := trace.NewObject(&unstructured.Unstructured{Object: manifest})
	return made, err == nil
}

// decorate adds metadata that others act on.
func decorate(c chooser, metadata map[string]any, outside *Outside) {
	if c.one(3) {
		metadata["ownerReferences"] = []any{outside.reference(c)}
	}
	if c.one(8) {
		metadata["finalizers"] = []any{"example.com/never"}
	}
	if c.one(4) {
		metadata["labels"] = map[string]any{"app": "shop", "simkube.io/simulation": "other", "simkube.io/virtual": "true"}
	}
	if c.one(4) {
		metadata["annotations"] = map[string]any{
			"storageclass.kubernetes.io/is-default-class":    "true",
			"ingressclass.kubernetes.io/is-default-class":    "true",
			"static.simkube.io/original-namespace":           "../../prod",
			"static.simkube.io/original-owner":               "prod/../../nodes/real-0",
			"kwok.x-k8s.io/node":                             "fake",
			"external-dns.alpha.kubernetes.io/hostname":      "shop.example.com",
			"volume.beta.kubernetes.io/storage-class":        "fast",
			"scheduler.alpha.kubernetes.io/critical-pod":     "",
			"pv.kubernetes.io/provisioned-by":                "ebs.csi.aws.com",
			"volume.kubernetes.io/selected-node":             "real-0",
			"simkube.io/kwok-stage-complete-time":            "x",
			"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
		}
	}
	if c.one(10) {
		metadata["uid"] = string(outside.ConfigMap)
		metadata["resourceVersion"] = "1"
		metadata["selfLink"] = "/api/v1/nodes/real-0"
		metadata["generateName"] = "../../"
	}
}

// deleted returns a trace's form of a deleted object.
func deleted(object *trace.Object) trace.Object {
	metadata := map[string]any{"name": object.Name()}
	if namespace := object.Namespace(); namespace != "" {
		metadata["namespace"] = namespace
	}
	apiVersion, kind := object.GVK().ToAPIVersionAndKind()
	made, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}})
	if err != nil {
		panic(err) // the names were accepted before
	}
	return made
}
