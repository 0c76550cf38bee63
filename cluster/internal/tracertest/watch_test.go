package tracertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/internal/tracer/watch"
)

var configMapKind = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

// probe is a cluster-scoped kind used by one test, since a kind that was deleted cannot be created
// again at once.
type probe struct {
	kind     schema.GroupVersionKind
	resource schema.GroupVersionResource
}

func newProbe() probe {
	version := schema.GroupVersion{Group: fmt.Sprintf("probes-%08x.example.com", rand.Uint32()), Version: "v1"}
	return probe{kind: version.WithKind("Probe"), resource: version.WithResource("probes")}
}

func (p probe) crd() string {
	return fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: probes.%[1]s}
spec:
  group: %[1]s
  scope: Cluster
  names: {plural: probes, singular: probe, kind: Probe}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`, p.kind.Group)
}

// create creates an object of the kind.
func (p probe) create(t *testing.T, name string) {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": name}}}
	object.SetGroupVersionKind(p.kind)
	if _, err := env.dynamic.Resource(p.resource).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// view is a handler that stores which objects exist, and counts how it received them.
type view struct {
	mu      sync.Mutex // guards the following
	there   map[string]string
	pending map[string]bool // known, and not yet seen in the current list
	swept   int             // objects that were missing in a list
	kinds   map[string]bool // the first bytes of objects
	modes   []watch.Mode
	reasons []watch.Reason
}

var (
	_ watch.Handler  = (*view)(nil)
	_ watch.Observer = (*view)(nil)
)

func (v *view) Begin(context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pending = map[string]bool{}
	for name := range v.there {
		v.pending[name] = true
	}
	return nil
}

func (v *view) Object(_ context.Context, json []byte) error {
	head, err := manifest.ParseHead(json)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.there == nil {
		v.there, v.kinds = map[string]string{}, map[string]bool{}
	}
	name := head.Namespace + "/" + head.Name
	v.there[name] = head.ResourceVersion
	v.kinds[strings.Split(string(json), ",")[0]] = true
	delete(v.pending, name)
	return nil
}

func (v *view) Deleted(_ context.Context, json []byte) error {
	head, err := manifest.ParseHead(json)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.there, head.Namespace+"/"+head.Name)
	return nil
}

func (v *view) Complete(context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name := range v.pending {
		delete(v.there, name)
		v.swept++
	}
	return nil
}

func (v *view) Gap(context.Context, time.Time, time.Time) error { return nil }

func (v *view) StateChanged(watch.State) {}
func (v *view) Watched()                 {}
func (v *view) Received(int)             {}

func (v *view) Listed(mode watch.Mode) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.modes = append(v.modes, mode)
}

func (v *view) Restarted(reason watch.Reason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reasons = append(v.reasons, reason)
}

// version returns the version of an object, or "" if it does not exist.
func (v *view) version(name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.there[name]
}

func (v *view) has(name string) bool { return v.version(name) != "" }

// gate lets all requests to the API server through, or none.
type gate struct {
	mu    sync.Mutex // guards the following
	cut   error
	open  map[int]context.CancelCauseFunc
	count int
	asked []string
}

var errCut = errors.New("the cable is cut")

// wrap implements rest.Config.Wrap. A request in progress when the gate closes is cancelled.
func (g *gate) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.cut != nil {
			return nil, g.cut
		}
		query := r.URL.Query()
		switch {
		case query.Get("sendInitialEvents") == "true":
			g.asked = append(g.asked, "stream")
		case query.Get("watch") == "true":
			g.asked = append(g.asked, "watch")
		default:
			g.asked = append(g.asked, "get "+r.URL.Path)
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		g.count++
		n := g.count
		if g.open == nil {
			g.open = map[int]context.CancelCauseFunc{}
		}
		g.open[n] = cancel
		context.AfterFunc(ctx, func() { g.mu.Lock(); defer g.mu.Unlock(); delete(g.open, n) })
		g.mu.Unlock()
		response, err := next.RoundTrip(r.WithContext(ctx))
		g.mu.Lock()
		return response, err
	})
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = errCut
	for _, cancel := range g.open {
		cancel(errCut)
	}
}

func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut = nil
}

func (g *gate) questions() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

// follow runs a watcher until the end of the test. The config may be changed first.
func follow(t *testing.T, kind schema.GroupVersionKind, change func(*rest.Config), metadataOnly bool) (*watch.Watcher, *view) {
	t.Helper()
	config := rest.CopyConfig(env.config)
	if change != nil {
		change(config)
	}
	client, err := watch.NewClient(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if metadataOnly {
		client = client.MetadataOnly()
	}
	seen := &view{}
	watcher := watch.New(client, kind, seen, watch.Options{Observer: seen})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- watcher.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("got error %v from Run, want none", err)
		}
	})
	return watcher, seen
}

func reaches(t *testing.T, watcher *watch.Watcher, state watch.State) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s to be %s", watcher.Kind().Kind, state), func() bool { return watcher.Status().State == state })
}

// TestWatch_StreamsWhatThereIs checks that a watcher sends one request for the kind, and one for
// everything else.
func TestWatch_StreamsWhatThereIs(t *testing.T) {
	for name, metadataOnly := range map[string]bool{"whole": false, "metadata": true} {
		t.Run(name, func(t *testing.T) {
			namespace := newNamespace(t, "stream")
			configMaps := env.client.CoreV1().ConfigMaps(namespace)
			create := func(name string) {
				made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"key": "value"}}
				if _, err := configMaps.Create(t.Context(), made, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 20 {
				create(fmt.Sprintf("before-%d", i))
			}
			var g gate
			watcher, seen := follow(t, configMapKind, func(c *rest.Config) { c.Wrap(g.wrap) }, metadataOnly)
			reaches(t, watcher, watch.Synced)
			for i := range 20 {
				if name := fmt.Sprintf("%s/before-%d", namespace, i); !seen.has(name) {
					t.Errorf("got no %s, want it in the list", name)
				}
			}
			create("after")
			eventually(t, "an object that was made", func() bool { return seen.has(namespace + "/after") })
			if err := configMaps.Delete(t.Context(), "after", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "an object to be gone", func() bool { return !seen.has(namespace + "/after") })
			if got, want := g.questions(), []string{"get /api/v1", "stream"}; !slices.Equal(got, want) {
				t.Errorf("got requests %q, want %q", got, want)
			}
			seen.mu.Lock()
			defer seen.mu.Unlock()
			if metadataOnly != seen.kinds[`{"kind":"PartialObjectMetadata"`] || len(seen.kinds) != 1 {
				t.Errorf("got objects that begin with %v, metadata only: %t", slices.Collect(maps.Keys(seen.kinds)), metadataOnly)
			}
		})
	}
}

// TestWatch_ResumesWhatWasCut creates objects while the gate is closed, and expects no list
// afterwards.
func TestWatch_ResumesWhatWasCut(t *testing.T) {
	namespace := newNamespace(t, "cut")
	var g gate
	watcher, seen := follow(t, configMapKind, func(c *rest.Config) { c.Wrap(g.wrap) }, false)
	reaches(t, watcher, watch.Synced)
	g.close()
	reaches(t, watcher, watch.Reconnecting)
	made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "meanwhile"}}
	if _, err := env.client.CoreV1().ConfigMaps(namespace).Create(t.Context(), made, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	g.reopen()
	eventually(t, "what was made meanwhile", func() bool { return seen.has(namespace + "/meanwhile") })
	if got, want := g.questions(), []string{"get /api/v1", "stream", "watch"}; !slices.Equal(got, want) {
		t.Errorf("got requests %q, want %q", got, want)
	}
}

// TestWatch_KindThatComesLater follows a kind that does not exist, is then created, and then
// deleted.
func TestWatch_KindThatComesLater(t *testing.T) {
	probe := newProbe()
	watcher, seen := follow(t, probe.kind, nil, false)
	reaches(t, watcher, watch.Missing)
	if got := watcher.Status().Error; !strings.Contains(got, "Probe") {
		t.Errorf("got error %q, want one that names the kind", got)
	}
	t.Run("there", func(t *testing.T) {
		installCRD(t, probe.crd())
		reaches(t, watcher, watch.Synced)
		probe.create(t, "one")
		eventually(t, "an object of it", func() bool { return seen.has("/one") })
	})
	reaches(t, watcher, watch.Missing)
	if seen.has("/one") {
		t.Error("got an object of a kind that is gone, want it deleted")
	}
}

// TestWatch_ForbiddenUntilGranted watches without permission, which is granted later.
func TestWatch_ForbiddenUntilGranted(t *testing.T) {
	user := "watcher-of-config-maps"
	watcher, _ := follow(t, configMapKind, func(c *rest.Config) { c.Impersonate.UserName = user }, false)
	reaches(t, watcher, watch.Forbidden)
	if got := watcher.Status().Error; !strings.Contains(got, user) || !strings.Contains(got, "configmaps") {
		t.Errorf("got error %q, want one that says who may not watch what", got)
	}
	rbac := env.client.RbacV1()
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list", "watch"}}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	if _, err := rbac.ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := rbac.ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := errors.Join(
			rbac.ClusterRoleBindings().Delete(ctx, user, metav1.DeleteOptions{}), rbac.ClusterRoles().Delete(ctx, user, metav1.DeleteOptions{}),
		); err != nil {
			t.Error(err)
		}
	})
	reaches(t, watcher, watch.Synced)
}

// TestWatch_ListsAnewWhenChangesAreForgotten deletes an object while the gate is closed, and makes
// the API server drop the history: a kind whose definition changes gets a new watch cache, without
// earlier changes.
func TestWatch_ListsAnewWhenChangesAreForgotten(t *testing.T) {
	probe := newProbe()
	installCRD(t, probe.crd())
	var g gate
	watcher, seen := follow(t, probe.kind, func(c *rest.Config) { c.Wrap(g.wrap) }, false)
	reaches(t, watcher, watch.Synced)
	probe.create(t, "stays")
	probe.create(t, "goes")
	eventually(t, "both objects", func() bool { return seen.has("/stays") && seen.has("/goes") })
	g.close()
	reaches(t, watcher, watch.Reconnecting)

	if err := env.dynamic.Resource(probe.resource).Delete(t.Context(), "goes", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	const patch = `{"spec":{"names":{"shortNames":["pr"]}}}`
	name := probe.resource.Resource + "." + probe.resource.Group
	if _, err := env.dynamic.Resource(crdResource).Patch(
		t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	probe.create(t, "comes")
	eventually(t, "the API server to forget", func() bool {
		before, err := env.dynamic.Resource(probe.resource).Watch(t.Context(), metav1.ListOptions{ResourceVersion: seen.version("/goes")})
		if err != nil {
			t.Fatal(err)
		}
		defer before.Stop()
		return (<-before.ResultChan()).Type == apiwatch.Error
	})
	g.reopen()
	eventually(t, "what there is now", func() bool { return seen.has("/comes") && !seen.has("/goes") })
	if !seen.has("/stays") {
		t.Error("got an object gone that stayed")
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if want := []watch.Mode{watch.Streamed, watch.Streamed}; !slices.Equal(seen.modes, want) || seen.swept != 1 {
		t.Errorf("got lists %v, which found %d objects gone, want %v and 1", seen.modes, seen.swept, want)
	}
	// At first, the kind may not be served to all requests yet.
	since := seen.reasons[max(slices.Index(seen.reasons, watch.Dropped), 0):]
	if !slices.Contains(since, watch.Expired) || slices.Contains(since, watch.Absent) {
		t.Errorf("got watches that ended as %v since the cut, want one that was forgotten, and none without the kind", since)
	}
	for _, asked := range g.questions() {
		if strings.HasPrefix(asked, "get ") && asked != "get /apis/"+probe.kind.GroupVersion().String() {
			t.Errorf("got request %q, want no list", asked)
		}
	}
}
