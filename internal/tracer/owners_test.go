package tracer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/trace"
)

var (
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	replicaSetKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "ReplicaSet"}
	platformKind   = schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Platform"}
)

// fakeCluster is an ownerGetter with a fixed set of objects, by kind and namespaced name.
type fakeCluster struct {
	objects map[string]*manifest.Head
	errs    map[string]error
	asked   []string
}

func (c *fakeCluster) get(_ context.Context, gvk schema.GroupVersionKind, namespace, name string) (*manifest.Head, error) {
	id := gvk.Kind + " " + trace.NamespacedName(namespace, name)
	c.asked = append(c.asked, id)
	if err := c.errs[id]; err != nil {
		return nil, err
	}
	if head := c.objects[id]; head != nil {
		return head, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{}, name)
}

func ref(gvk schema.GroupVersionKind, name string) manifest.OwnerReference {
	return manifest.OwnerReference{
		APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Name: name, UID: "uid-" + name, Controller: true,
	}
}

func head(namespace, name string, owners ...manifest.OwnerReference) *manifest.Head {
	return &manifest.Head{Namespace: namespace, Name: name, UID: "uid-" + name, Owners: owners}
}

func testOwners(t *testing.T, cluster *fakeCluster, c clock.WithTicker, tracked ...schema.GroupVersionKind) *owners {
	t.Helper()
	metrics, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	o := newOwners(100, cluster, c, metrics)
	config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}
	for _, gvk := range tracked {
		config.TrackedObjects[gvk] = trace.TrackedObject{}
	}
	o.track(config)
	return o
}

func TestOwners_Ancestors(t *testing.T) {
	cluster := func() *fakeCluster {
		return &fakeCluster{
			objects: map[string]*manifest.Head{
				"ReplicaSet a/rs":  head("a", "rs", ref(deploymentKind, "web")),
				"Deployment a/web": head("a", "web", ref(platformKind, "all")),
				"Platform a/all":   head("", "all"),
				"ReplicaSet a/one": head("a", "one", ref(replicaSetKind, "two")),
				"ReplicaSet a/two": head("a", "two", ref(replicaSetKind, "one")),
				"ReplicaSet a/new": {Namespace: "a", Name: "new", UID: "uid-another"},
			},
			errs: map[string]error{
				"ReplicaSet a/secret": apierrors.NewForbidden(schema.GroupResource{}, "secret", errors.New("no")),
			},
		}
	}
	key := func(gvk schema.GroupVersionKind, name string) log.Key { return log.Key{GVK: gvk, Name: name} }
	for _, test := range []struct {
		name    string
		tracked []schema.GroupVersionKind
		refs    []manifest.OwnerReference
		want    []log.Key
		asked   int
	}{
		{"nobody", []schema.GroupVersionKind{deploymentKind}, nil, nil, 0},
		{
			"through an untracked owner",
			[]schema.GroupVersionKind{deploymentKind},
			[]manifest.OwnerReference{ref(replicaSetKind, "rs")},
			[]log.Key{key(deploymentKind, "a/web")},
			3,
		},
		{
			"nearest first, the last one without a namespace",
			[]schema.GroupVersionKind{platformKind, deploymentKind, replicaSetKind},
			[]manifest.OwnerReference{ref(replicaSetKind, "rs")},
			[]log.Key{key(replicaSetKind, "a/rs"), key(deploymentKind, "a/web"), key(platformKind, "all")},
			3,
		},
		{
			"tracked in another version",
			[]schema.GroupVersionKind{{Group: "apps", Version: "v2", Kind: "ReplicaSet"}},
			[]manifest.OwnerReference{ref(replicaSetKind, "rs")},
			[]log.Key{key(schema.GroupVersionKind{Group: "apps", Version: "v2", Kind: "ReplicaSet"}, "a/rs")},
			3,
		},
		{
			"round in a circle",
			[]schema.GroupVersionKind{replicaSetKind},
			[]manifest.OwnerReference{ref(replicaSetKind, "one")},
			[]log.Key{key(replicaSetKind, "a/one"), key(replicaSetKind, "a/two")},
			2,
		},
		{
			"a deleted one counts, and what is above it is not known",
			[]schema.GroupVersionKind{replicaSetKind, deploymentKind},
			[]manifest.OwnerReference{ref(replicaSetKind, "gone")},
			[]log.Key{key(replicaSetKind, "a/gone")},
			1,
		},
		{
			"another one has its name now",
			[]schema.GroupVersionKind{deploymentKind},
			[]manifest.OwnerReference{ref(replicaSetKind, "new")},
			nil, 1,
		},
		{
			"one that may not be read",
			[]schema.GroupVersionKind{deploymentKind, replicaSetKind},
			[]manifest.OwnerReference{ref(replicaSetKind, "secret")},
			[]log.Key{key(replicaSetKind, "a/secret")},
			1,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := cluster()
			o := testOwners(t, c, clock.RealClock{}, test.tracked...)
			for range 2 { // the second time from the cache
				got, err := o.ancestors(t.Context(), "a", test.refs)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
			}
			if len(c.asked) != test.asked {
				t.Errorf("asked for %v, want %d questions", c.asked, test.asked)
			}
		})
	}
}

func TestOwners_LearnedIsNotAskedFor(t *testing.T) {
	cluster := &fakeCluster{}
	o := testOwners(t, cluster, clock.RealClock{}, deploymentKind)
	o.learn(head("a", "rs", ref(deploymentKind, "web")))
	o.learn(head("a", "web"))
	got, err := o.ancestors(t.Context(), "a", []manifest.OwnerReference{ref(replicaSetKind, "rs")})
	if err != nil || len(got) != 1 || len(cluster.asked) > 0 {
		t.Errorf("got %v, %v, asked for %v", got, err, cluster.asked)
	}
}

// TestOwners_Refused checks that after a refusal no object of the kind is requested for a while,
// and then requests are tried again.
func TestOwners_Refused(t *testing.T) {
	cluster := &fakeCluster{errs: map[string]error{}}
	for i := range 3 {
		name := fmt.Sprint(i)
		cluster.errs["ReplicaSet a/"+name] = apierrors.NewForbidden(schema.GroupResource{}, name, errors.New("no"))
	}
	c := testingclock.NewFakeClock(time.Unix(1e9, 0))
	o := testOwners(t, cluster, c, deploymentKind)
	ask := func(name string) {
		t.Helper()
		if _, err := o.ancestors(t.Context(), "a", []manifest.OwnerReference{ref(replicaSetKind, name)}); err != nil {
			t.Fatal(err)
		}
	}
	ask("0")
	ask("1")
	if len(cluster.asked) != 1 {
		t.Errorf("asked for %v, want one question", cluster.asked)
	}
	c.Step(refusedFor)
	ask("2")
	if len(cluster.asked) != 2 {
		t.Errorf("asked for %v, want another question after a while", cluster.asked)
	}
}

// TestOwners_Trouble checks that requests are retried if the API server does not respond, and that
// the error names the owner if it never does.
func TestOwners_Trouble(t *testing.T) {
	cluster := &fakeCluster{errs: map[string]error{"ReplicaSet a/rs": apierrors.NewInternalError(errors.New("no leader"))}}
	c := testingclock.NewFakeClock(time.Unix(1e9, 0))
	o := testOwners(t, cluster, c, deploymentKind)
	done := make(chan error, 1)
	go func() {
		_, err := o.ancestors(t.Context(), "a", []manifest.OwnerReference{ref(replicaSetKind, "rs")})
		done <- err
	}()
	for {
		select {
		case err := <-done:
			var failed *ownerError
			if !errors.As(err, &failed) || failed.Owner != "ReplicaSet.apps a/rs" {
				t.Errorf("got %v, want an *ownerError", err)
			}
			if len(cluster.asked) != lookupTries {
				t.Errorf("asked %d times, want %d", len(cluster.asked), lookupTries)
			}
			// Requests for other objects of its kind fail at once until a while has passed, and the known
			// ancestors are returned.
			found, err := o.ancestors(t.Context(), "a", []manifest.OwnerReference{ref(replicaSetKind, "other"), ref(deploymentKind, "web")})
			if !errors.As(err, &failed) || !failed.Repeated || len(found) != 1 || len(cluster.asked) != lookupTries+1 {
				t.Errorf("got %v, %v, asked for %v, want the Deployment and an *ownerError at once", found, err, cluster.asked)
			}
			c.Step(failedFor)
			if _, err := o.ancestors(t.Context(), "a", []manifest.OwnerReference{ref(replicaSetKind, "third")}); err != nil {
				t.Error(err)
			}
			return
		case <-time.After(time.Millisecond):
			c.Step(time.Minute)
		}
	}
}
