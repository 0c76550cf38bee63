package tracer

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// begin is when the tracers of the tests start.
var begin = time.Unix(1_700_000_000, 0)

// bench is a tracer whose watches are simulated by the test.
type bench struct {
	t     *testing.T
	clock *testingclock.FakeClock
	*Tracer
}

func newBench(t *testing.T, config *trace.Config) *bench {
	t.Helper()
	b := &bench{t: t, clock: testingclock.NewFakeClock(begin)}
	b.open(t.TempDir(), config)
	return b
}

func (b *bench) open(dir string, config *trace.Config) {
	b.t.Helper()
	tracer, err := Open(Options{
		Cluster: &rest.Config{Host: "http://127.0.0.1:1"}, Config: config, Dir: dir, Clock: b.clock,
		Logger: testLogger(b.t),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Tracer = tracer
	b.t.Cleanup(func() {
		if b.Tracer == tracer {
			b.close()
		}
	})
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Error(err)
	}
	b.Tracer = nil
}

// restart opens the same log again.
func (b *bench) restart(config *trace.Config) {
	b.t.Helper()
	dir := b.opts.Dir
	b.close()
	b.open(dir, config)
}

// handler returns a follower that is not running.
func (b *bench) handler(gvk schema.GroupVersionKind) *follower {
	b.t.Helper()
	config := b.Config()
	b.owners.track(config)
	known, err := b.known(b.t.Context(), config)
	if err != nil {
		b.t.Fatal(err)
	}
	f, err := b.newFollower(b.t.Context(), plan(config, true)[gvk], config, known[gvk], b.clock.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

// list passes all existing objects to a follower.
func (b *bench) list(f *follower, manifests ...string) {
	b.t.Helper()
	b.check(f.Begin(b.t.Context()))
	b.apply(f, manifests...)
	b.check(f.Complete(b.t.Context()))
}

func (b *bench) apply(f *follower, manifests ...string) {
	b.t.Helper()
	for _, m := range manifests {
		b.check(f.Object(b.t.Context(), toJSON(b.t, m)))
	}
}

func (b *bench) remove(f *follower, manifests ...string) {
	b.t.Helper()
	for _, m := range manifests {
		b.check(f.Deleted(b.t.Context(), toJSON(b.t, m)))
	}
}

func (b *bench) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func toJSON(tb testing.TB, manifest string) []byte {
	tb.Helper()
	data, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		tb.Fatal(err)
	}
	// With the metadata before the rest, as API servers write it.
	u := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &u); err != nil {
		tb.Fatal(err)
	}
	var out strings.Builder
	out.WriteString("{")
	for _, key := range []string{"kind", "apiVersion", "metadata", "spec", "data", "status"} {
		if value, ok := u[key]; ok {
			fmt.Fprintf(&out, "%q:%s,", key, value)
		}
	}
	return []byte(strings.TrimSuffix(out.String(), ",") + "}")
}

// history returns the contents of the log, one line per change: seconds since the beginning,
// operation, object, and details.
func (b *bench) history() []string {
	b.t.Helper()
	snapshot := b.snapshot()
	defer snapshot.Close()
	var lines []string
	for r, err := range snapshot.Changes(0, 1<<62) {
		if err != nil {
			b.t.Fatal(err)
		}
		op := map[log.Op]string{log.Applied: "+", log.Deleted: "-", log.Forgotten: "?"}[r.Op]
		line := fmt.Sprintf("%d %s %s %s", (r.Time-begin.UnixMilli())/1000, op, r.Key.GVK.Kind, r.Key.Name)
		for _, ancestor := range r.Ancestors {
			line += " < " + ancestor.GVK.Kind + " " + ancestor.Name
		}
		lines = append(lines, line)
	}
	return lines
}

func (b *bench) snapshot() *log.Snapshot {
	b.t.Helper()
	snapshot, err := b.log.Snapshot()
	if err != nil {
		b.t.Fatal(err)
	}
	return snapshot
}

func (b *bench) wantHistory(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.history()); diff != "" {
		b.t.Error(diff)
	}
}

// last returns the manifest that was recorded last.
func (b *bench) last() *unstructured.Unstructured {
	b.t.Helper()
	snapshot := b.snapshot()
	defer snapshot.Close()
	var raw []byte
	for r, err := range snapshot.Changes(0, 1<<62) {
		if err != nil {
			b.t.Fatal(err)
		}
		if r.Op == log.Applied {
			raw = append([]byte(nil), r.Object...)
		}
	}
	object, err := trace.ParseObject(raw)
	if err != nil {
		b.t.Fatal(err)
	}
	u, err := object.Unstructured()
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

func configOf(kinds map[schema.GroupVersionKind]trace.TrackedObject) *trace.Config {
	return &trace.Config{TrackedObjects: kinds}
}

var configMapKind = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

func configMap(name, uid, version, data string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, namespace: a, uid: %s, resourceVersion: %q}, data: {x: %q}}`, name, uid, version, data)
}

func TestObjects_Changes(t *testing.T) {
	b := newBench(t, configOf(map[schema.GroupVersionKind]trace.TrackedObject{configMapKind: {}}))
	f := b.handler(configMapKind)
	b.list(f, configMap("one", "u1", "1", "x"), configMap("two", "u2", "2", "x"))
	b.clock.Step(time.Second)
	b.apply(f, configMap("one", "u1", "3", "x")) // only fields that are not recorded changed
	b.apply(f, configMap("two", "u2", "4", "y"))
	b.clock.Step(time.Second)
	b.remove(f, configMap("one", "u1", "5", "x"), configMap("three", "u3", "6", "never seen"))
	b.clock.Step(time.Second)
	// While the watch was lost, one was created again, and two was replaced by another object with its
	// name.
	b.list(f, configMap("one", "u4", "7", "x"), configMap("two", "u5", "8", "y"))
	b.clock.Step(time.Second)
	b.list(f, configMap("two", "u5", "8", "y"))
	b.wantHistory(
		"0 + ConfigMap a/one", "0 + ConfigMap a/two",
		"1 + ConfigMap a/two",
		"2 - ConfigMap a/one",
		"3 + ConfigMap a/one", "3 - ConfigMap a/two", "3 + ConfigMap a/two",
		"4 - ConfigMap a/one",
	)
}

// TestObjects_Restart checks that changes during a restart are recorded, and nothing is recorded
// twice.
func TestObjects_Restart(t *testing.T) {
	config := configOf(map[schema.GroupVersionKind]trace.TrackedObject{configMapKind: {}})
	b := newBench(t, config)
	b.list(b.handler(configMapKind), configMap("same", "u1", "1", "x"), configMap("changed", "u2", "1", "x"),
		configMap("deleted", "u3", "1", "x"), configMap("replaced", "u4", "1", "x"))
	b.clock.Step(10 * time.Second)
	b.restart(config)
	b.list(b.handler(configMapKind), configMap("same", "u1", "1", "x"), configMap("changed", "u2", "2", "y"), configMap("replaced", "u5", "2", "x"))
	b.wantHistory(
		"0 + ConfigMap a/same", "0 + ConfigMap a/changed", "0 + ConfigMap a/deleted", "0 + ConfigMap a/replaced",
		"10 + ConfigMap a/changed", "10 - ConfigMap a/replaced", "10 + ConfigMap a/replaced", "10 - ConfigMap a/deleted",
	)
	snapshot := b.snapshot()
	defer snapshot.Close()
	gaps := 0
	for gap, err := range snapshot.Gaps(0, 1<<62) {
		b.check(err)
		if gap.To != begin.Add(10*time.Second).UnixMilli() || gap.From < begin.UnixMilli() {
			t.Errorf("gap %v", gap)
		}
		gaps++
	}
	if gaps != 1 {
		t.Errorf("%d gaps, want 1", gaps)
	}
}

// TestObjects_Untracked checks that objects of a kind that is no longer followed are forgotten, not
// deleted.
func TestObjects_Untracked(t *testing.T) {
	b := newBench(t, configOf(map[schema.GroupVersionKind]trace.TrackedObject{configMapKind: {}}))
	b.list(b.handler(configMapKind), configMap("one", "u1", "1", "x"))
	b.restart(configOf(nil))
	if _, err := b.known(t.Context(), b.Config()); err != nil {
		t.Fatal(err)
	}
	b.wantHistory("0 + ConfigMap a/one", "0 ? ConfigMap a/one")
}

func TestObjects_SkipOwned(t *testing.T) {
	b := newBench(t, configOf(map[schema.GroupVersionKind]trace.TrackedObject{replicaSetKind: {SkipOwned: true}}))
	f := b.handler(replicaSetKind)
	b.list(f, replicaSet("bare", ""), replicaSet("owned", "web"))
	b.clock.Step(time.Second)
	b.apply(f, replicaSet("bare", "web"))
	b.remove(f, replicaSet("bare", "web"))
	b.wantHistory("0 + ReplicaSet a/bare", "1 ? ReplicaSet a/bare")
}

func replicaSet(name, owner string) string {
	owners := ""
	if owner != "" {
		owners = fmt.Sprintf(", ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: %s, uid: uid-%s, controller: true}]", owner, owner)
	}
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: %s, namespace: a, uid: uid-%s%s}, spec: {replicas: 1}}`, name, name, owners)
}

// TestObjects_SameName checks that objects of different kinds may share a name.
func TestObjects_SameName(t *testing.T) {
	account := schema.GroupVersionKind{Version: "v1", Kind: "ServiceAccount"}
	b := newBench(t, configOf(map[schema.GroupVersionKind]trace.TrackedObject{account: {}, deploymentKind: {}}))
	accounts, deployments := b.handler(account), b.handler(deploymentKind)
	b.list(accounts, `{apiVersion: v1, kind: ServiceAccount, metadata: {name: x, namespace: a, uid: u1}}`)
	b.list(deployments, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, namespace: a, uid: u2}, spec: {replicas: 1}}`)
	b.clock.Step(time.Second)
	b.list(accounts)
	b.wantHistory("0 + ServiceAccount a/x", "0 + Deployment a/x", "1 - ServiceAccount a/x")
}

func TestObjects_Sanitised(t *testing.T) {
	b := newBench(t, configOf(map[schema.GroupVersionKind]trace.TrackedObject{deploymentKind: {}}))
	b.list(b.handler(deploymentKind), `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: a
  uid: u
  resourceVersion: "1"
  generation: 3
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {app: web}
  annotations: {deployment.kubernetes.io/revision: "3", kubectl.kubernetes.io/last-applied-configuration: "{}"}
  managedFields: [{manager: kubectl}]
spec: {replicas: 2, template: {metadata: {creationTimestamp: null}, spec: {containers: [{name: c, image: i}]}}}
status: {replicas: 1}`)
	want := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "web", "namespace": "a", "labels": map[string]any{"app": "web"}, "annotations": map[string]any{}},
		"spec": map[string]any{"replicas": int64(2), "template": map[string]any{
			"metadata": map[string]any{"creationTimestamp": nil},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "c", "image": "i"}}},
		}},
	}
	if diff := cmp.Diff(want, b.last().Object); diff != "" {
		t.Error(diff)
	}
}

func testLogger(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }
