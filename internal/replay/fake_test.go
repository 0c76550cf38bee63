package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// fake is a target in memory. Requests take some time. Objects below a deleted object are deleted
// with it.
type fake struct {
	takes time.Duration
	// fail, if not nil, is called before each request that changes something.
	fail func(verb string, at place) error

	mu      sync.Mutex
	served  map[schema.GroupVersionKind]bool // true for namespaced kinds
	objects map[place]*metav1.PartialObjectMetadata
	log     []string
	sent    map[string]time.Time // when a line of the log was written first
	bodies  map[place][]string   // what was applied
	busy    int
	maxBusy int
	uids    int
	// status has the status of pods. watcher is the watch of pods, which is late by tells; with blind
	// there is none.
	status map[place]corev1.PodStatus
	// refusal is what an error about immutable data says.
	refusal string
	// lingers is how long an object is being deleted before it is gone.
	lingers time.Duration
	watcher *watch.RaceFreeFakeWatcher
	tells   time.Duration
	blind   bool
}

func newFake() *fake {
	return &fake{
		served: map[schema.GroupVersionKind]bool{
			{Version: "v1", Kind: "Pod"}:                                                     true,
			{Version: "v1", Kind: "ConfigMap"}:                                               true,
			{Version: "v1", Kind: "Namespace"}:                                               false,
			{Group: "apps", Version: "v1", Kind: "Deployment"}:                               true,
			{Group: "batch", Version: "v1", Kind: "CronJob"}:                                 true,
			{Group: "batch", Version: "v1", Kind: "Job"}:                                     true,
			{Group: "scheduling.k8s.io", Version: "v1", Kind: "PriorityClass"}:               false,
			{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}: false,
			simkubev1.GroupVersion.WithKind(rootKind):                                        false,
		},
		objects: map[place]*metav1.PartialObjectMetadata{},
		sent:    map[string]time.Time{},
		status:  map[place]corev1.PodStatus{},
		bodies:  map[place][]string{},
		refusal: "field is immutable",
	}
}

func resourceOf(gvk schema.GroupVersionKind) schema.GroupVersionResource {
	plural, _ := meta.UnsafeGuessKindToResource(gvk)
	return plural
}

func (f *fake) mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	namespaced, ok := f.served[gvk]
	if !ok {
		return nil, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
	}
	mapping := &meta.RESTMapping{Resource: resourceOf(gvk), GroupVersionKind: gvk, Scope: meta.RESTScopeRoot}
	if namespaced {
		mapping.Scope = meta.RESTScopeNamespace
	}
	return mapping, nil
}

func (f *fake) refresh() {}

func (f *fake) kinds() ([]kind, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var kinds []kind
	for gvk, namespaced := range f.served {
		kinds = append(kinds, kind{gvk, resourceOf(gvk), namespaced})
	}
	return kinds, nil
}

func (f *fake) pods() kubernetes.Interface { return &fakePods{target: f} }

// request takes the time of a request, and adds it to the log.
func (f *fake) request(verb string, at place) error {
	f.mu.Lock()
	line := fmt.Sprintf("%s %s %s", verb, at.resource.Resource, trace.NamespacedName(at.namespace, at.name))
	f.log = append(f.log, line)
	if _, ok := f.sent[line]; !ok {
		f.sent[line] = time.Now()
	}
	f.busy++
	f.maxBusy = max(f.maxBusy, f.busy)
	f.mu.Unlock()
	time.Sleep(f.takes)
	f.mu.Lock()
	f.busy--
	f.mu.Unlock()
	if f.fail != nil {
		return f.fail(verb, at)
	}
	return nil
}

func (f *fake) notFound(at place) error {
	return apierrors.NewNotFound(at.resource.GroupResource(), at.name)
}

func (f *fake) get(_ context.Context, at place) (*metav1.PartialObjectMetadata, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if object := f.objects[at]; object != nil {
		return object.DeepCopy(), nil
	}
	return nil, f.notFound(at)
}

func (f *fake) put(at place, from []byte) (*metav1.PartialObjectMetadata, error) {
	object := &metav1.PartialObjectMetadata{}
	if err := json.Unmarshal(from, object); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if at.namespace != "" && f.objects[place{resource: namespaceResource(), name: at.namespace}] == nil {
		return nil, apierrors.NewNotFound(namespaceResource().GroupResource(), at.namespace)
	}
	f.uids++
	object.UID = types.UID(fmt.Sprint("uid-", f.uids))
	change := watch.Added
	if old := f.objects[at]; old != nil {
		object.UID, change = old.UID, watch.Modified
		object.DeletionTimestamp = old.DeletionTimestamp
	}
	f.objects[at] = object
	f.tell(change, at, &object.ObjectMeta)
	return object, nil
}

func (f *fake) apply(_ context.Context, at place, body []byte) (*metav1.PartialObjectMetadata, error) {
	if err := f.request("apply", at); err != nil {
		return nil, err
	}
	if err := f.checkChange(at, body); err != nil {
		return nil, err
	}
	object, err := f.put(at, body)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bodies[at] = append(f.bodies[at], string(body))
	return object.DeepCopy(), nil
}

// checkChange returns an error if the object exists with other immutable data, which is its
// annotation "fixed".
func (f *fake) checkChange(at place, body []byte) error {
	wanted := &metav1.PartialObjectMetadata{}
	if err := json.Unmarshal(body, wanted); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if there := f.objects[at]; there == nil || there.Annotations["fixed"] == wanted.Annotations["fixed"] {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Kind: at.resource.Resource}, at.name,
		field.ErrorList{field.Invalid(field.NewPath("fixed"), "x", f.refusal)})
}

func (f *fake) mergeStatus(_ context.Context, at place, _ []byte) error {
	return f.request("status", at)
}

func (f *fake) tryCreate(_ context.Context, at place, _ *unstructured.Unstructured) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.objects[at] == nil {
		return nil
	}
	return apierrors.NewAlreadyExists(at.resource.GroupResource(), at.name)
}

func (f *fake) resize(_ context.Context, at place, _ []byte) (bool, error) {
	if err := f.request("resize", at); err != nil {
		return false, err
	}
	return false, nil
}

func (f *fake) create(_ context.Context, at place, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if err := f.request("create", at); err != nil {
		return nil, err
	}
	body, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	created, err := f.put(at, body)
	if err != nil {
		return nil, err
	}
	object = object.DeepCopy()
	object.SetUID(created.UID)
	return object, nil
}

func (f *fake) delete(_ context.Context, at place, opts metav1.DeleteOptions) error {
	if err := f.request("delete", at); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.objects[at] == nil {
		return f.notFound(at)
	}
	if p := opts.Preconditions; p != nil && p.UID != nil && *p.UID != f.objects[at].UID {
		return apierrors.NewConflict(at.resource.GroupResource(), at.name, errors.New("the UID in the precondition is another one"))
	}
	if f.lingers == 0 {
		f.removeAll(at)
		return nil
	}
	if f.objects[at].DeletionTimestamp == nil {
		f.objects[at].DeletionTimestamp = new(metav1.Now())
		time.AfterFunc(f.lingers, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.objects[at] != nil { // its namespace may have been gone first
				f.removeAll(at)
			}
		})
	}
	return nil
}

// removeAll deletes an object and everything in it. The caller holds the lock.
func (f *fake) removeAll(at place) {
	if f.lingers > 0 {
		f.log = append(f.log, fmt.Sprintf("gone %s %s", at.resource.Resource, trace.NamespacedName(at.namespace, at.name)))
	}
	f.remove(at)
	if at.resource == namespaceResource() {
		for other := range f.objects {
			if other.namespace == at.name {
				f.remove(other)
			}
		}
	}
}

func (f *fake) deleteCollection(_ context.Context, in place, _ metav1.DeleteOptions, selector string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	wanted, err := labels.Parse(selector)
	if err != nil {
		return err
	}
	for at, object := range f.objects {
		if at.resource == in.resource && at.namespace == in.namespace && wanted.Matches(labels.Set(object.Labels)) {
			delete(f.objects, at)
		}
	}
	return nil
}

func (f *fake) list(_ context.Context, resource schema.GroupVersionResource, selector string) ([]metav1.PartialObjectMetadata, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wanted, err := labels.Parse(selector)
	if err != nil {
		return nil, err
	}
	var items []metav1.PartialObjectMetadata
	for at, object := range f.objects {
		if at.resource == resource && wanted.Matches(labels.Set(object.Labels)) {
			items = append(items, *object)
		}
	}
	return items, nil
}

// lines returns the lines of the log with a text.
func (f *fake) lines(about string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.log), func(line string) bool { return !strings.Contains(line, about) })
}

const origin = 1_700_000_000

func event(tb testing.TB, seconds int64, applied, deleted []string) trace.Event {
	tb.Helper()
	return trace.Event{Time: origin + seconds, Applied: objects(tb, applied...), Deleted: objects(tb, deleted...)}
}

func sequence(events []trace.Event) iter.Seq2[*trace.Event, error] {
	return func(yield func(*trace.Event, error) bool) {
		for i := range events {
			if !yield(&events[i], nil) {
				return
			}
		}
	}
}

func objects(tb testing.TB, manifests ...string) []trace.Object {
	tb.Helper()
	var objects []trace.Object
	for _, manifest := range manifests {
		data, err := yaml.YAMLToJSON([]byte(manifest))
		if err != nil {
			tb.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(data); err != nil {
			tb.Fatal(err)
		}
		object, err := trace.NewObject(u)
		if err != nil {
			tb.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

func configMap(namespace, name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {namespace: %s, name: %s}}", namespace, name)
}

func podManifest(namespace, name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {namespace: %s, name: %s}, spec: {containers: [{name: main, image: x}]}}", namespace, name)
}

func deployment(namespace, name string) string {
	return fmt.Sprintf("{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: %s, name: %s}, spec: {template: {spec: {containers: []}}}}", namespace, name)
}
