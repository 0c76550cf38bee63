package replay

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/trace"
)

func TestBuilder_build(t *testing.T) {
	volcano := schema.GroupVersionKind{Group: "batch.volcano.sh", Version: "v1alpha1", Kind: "Job"}
	b := &builder{
		simulation: "sim", root: mutate.Root{Name: "r", UID: "u"},
		config: &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
			volcano: {PodSpecTemplatePaths: []string{"/spec/tasks/*/template"}},
		}},
	}
	const metadata = `
metadata:
  name: x
  namespace: ns
  annotations: {}
  labels: {simkube.io/simulation: sim, simkube.io/virtual: "true"}
  ownerReferences: [{apiVersion: simkube.io/v1, kind: SimulationRoot, name: r, uid: u}]
`
	for name, c := range map[string]struct{ recorded, want string }{
		"metadata and status": {`
apiVersion: v1
kind: ConfigMap
metadata:
  name: x
  namespace: ns
  uid: a
  resourceVersion: "1"
  generation: 3
  creationTimestamp: null
  deletionTimestamp: "2026-01-01T00:00:00Z"
  managedFields: [{manager: kubectl}]
  selfLink: /x
  finalizers: [a/b]
  ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: q}]
  labels: {app: x, simkube.io/simulation: other}
  annotations: {kept: "1", kubectl.kubernetes.io/last-applied-configuration: "{}", static.simkube.io/original-namespace: z}
data: {a: b}
status: {ok: true}`, `
apiVersion: v1
kind: ConfigMap
metadata:
  name: x
  namespace: ns
  annotations: {kept: "1"}
  labels: {app: x, simkube.io/simulation: sim, simkube.io/virtual: "true"}
  ownerReferences: [{apiVersion: simkube.io/v1, kind: SimulationRoot, name: r, uid: u}]
data: {a: b}`},
		"service": {`
{apiVersion: v1, kind: Service, metadata: {name: x, namespace: ns}, spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1],
ipFamilies: [IPv4], ipFamilyPolicy: SingleStack, healthCheckNodePort: 3, type: LoadBalancer, ports: [{port: 80, nodePort: 30000}]}}`, `
apiVersion: v1
kind: Service` + metadata + `
spec: {type: LoadBalancer, ports: [{port: 80}]}`},
		"nulls": {`
{apiVersion: example.com/v1, kind: Thing, metadata: {name: x, namespace: ns}, spec: {a: null, b: {c: null, d: []}, e: [{f: null}, null]}}`, `
apiVersion: example.com/v1
kind: Thing` + metadata + `
spec: {b: {d: []}, e: [{}, null]}`},
		"headless service": {`
{apiVersion: v1, kind: Service, metadata: {name: x, namespace: ns}, spec: {clusterIP: None, clusterIPs: [None]}}`, `
apiVersion: v1
kind: Service` + metadata + `
spec: {clusterIP: None, clusterIPs: [None]}`},
		"claim": {`
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x, namespace: ns, annotations: {pv.kubernetes.io/bind-completed: "yes"}}, spec: {volumeName: pv1, storageClassName: fast}}`, `
apiVersion: v1
kind: PersistentVolumeClaim` + metadata + `
spec: {storageClassName: fast}`},
		"volume to be recycled": {`
{apiVersion: v1, kind: PersistentVolume, metadata: {name: x}, spec: {persistentVolumeReclaimPolicy: Recycle, claimRef: {namespace: ns, name: y, uid: z}}}`, `
apiVersion: v1
kind: PersistentVolume` + strings.Replace(metadata, "  namespace: ns\n", "", 1) + `
spec: {persistentVolumeReclaimPolicy: Retain, claimRef: {namespace: ns, name: y}}`},
		"job with a selector of its own": {`
{apiVersion: batch/v1, kind: Job, metadata: {name: x, namespace: ns}, spec: {manualSelector: true, selector: {matchLabels: {job-name: y}}, template: {metadata: {labels: {job-name: y}}, spec: {containers: []}}}}`, `
apiVersion: batch/v1
kind: Job` + metadata + `
spec:
  manualSelector: true
  selector: {matchLabels: {job-name: y}}
  template: {metadata: {labels: {job-name: y}, annotations: {}}, spec: {containers: []}}`},
		"daemon set": {`
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: x, namespace: ns}, spec: {template: {spec: {nodeSelector: {a: b}, tolerations: [{operator: Exists}], containers: []}}}}`, `
apiVersion: apps/v1
kind: DaemonSet` + metadata + `
spec:
  template:
    metadata: {annotations: {}}
    spec:
      nodeSelector: {a: b}
      tolerations: [{operator: Exists}]
      containers: []`},
		"daemon set of a recorded simulation": {`
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: x, namespace: ns}, spec: {template: {spec: {nodeSelector: {type: virtual}, tolerations: [{key: kwok-provider, operator: Exists, effect: NoSchedule}], containers: []}}}}`, `
apiVersion: apps/v1
kind: DaemonSet` + metadata + `
spec:
  template:
    metadata: {annotations: {}}
    spec:
      nodeSelector: {type: virtual}
      tolerations: [{key: kwok-provider, operator: Exists, effect: NoSchedule}]
      containers: []`},
		"several templates": {`
{apiVersion: batch.volcano.sh/v1alpha1, kind: Job, metadata: {name: x, namespace: ns}, spec: {selector: kept, tasks: [
{template: {spec: {containers: [{name: a, ports: [{containerPort: 1}]}], initContainers: [{name: i, ports: [{containerPort: 2}]}]}}},
{template: {metadata: {annotations: {a: b}}, spec: {}}}]}}`, `
apiVersion: batch.volcano.sh/v1alpha1
kind: Job` + metadata + `
spec:
  selector: kept
  tasks:
  - template:
      metadata: {annotations: {}}
      spec: {containers: [{name: a, ports: [{containerPort: 1}]}], initContainers: [{name: i, ports: [{containerPort: 2}]}]}
  - template:
      metadata: {annotations: {a: b}}
      spec: {}`},
		"namespace": {`
{apiVersion: v1, kind: Namespace, metadata: {name: ns, labels: {kubernetes.io/metadata.name: ns, team: a}}, spec: {finalizers: [kubernetes]}, status: {phase: Active}}`, `
apiVersion: v1
kind: Namespace
metadata:
  name: ns
  annotations: {}
  labels: {team: a, simkube.io/simulation: sim, simkube.io/virtual: "true"}
  ownerReferences: [{apiVersion: simkube.io/v1, kind: SimulationRoot, name: r, uid: u}]`},
		"volume": {`
{apiVersion: v1, kind: PersistentVolume, metadata: {name: x}, spec: {claimRef: {namespace: ns, name: c, uid: q, resourceVersion: "7"}}}`, `
apiVersion: v1
kind: PersistentVolume
metadata:
  name: x
  annotations: {}
  labels: {simkube.io/simulation: sim, simkube.io/virtual: "true"}
  ownerReferences: [{apiVersion: simkube.io/v1, kind: SimulationRoot, name: r, uid: u}]
spec: {claimRef: {namespace: ns, name: c}}`},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := b.build(&objects(t, c.recorded)[0])
			if err != nil {
				t.Fatal(err)
			}
			checkJSON(t, body, c.want)
		})
	}
}

func checkJSON(t *testing.T, body []byte, wantYAML string) {
	t.Helper()
	var got, want any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(wantYAML), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestBuilder_notATemplate(t *testing.T) {
	b := &builder{simulation: "sim", config: &trace.Config{}}
	for name, manifest := range map[string]string{
		"text":  "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, namespace: ns}, spec: {template: text}}",
		"array": "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x, namespace: ns}, spec: [1]}",
	} {
		t.Run(name, func(t *testing.T) {
			if body, err := b.build(&objects(t, manifest)[0]); err == nil {
				t.Errorf("build() = %s, want an error", body)
			}
		})
	}
}

func TestBarePods(t *testing.T) {
	key := objectKey{kind: podKind, namespace: "ns", name: "p"}
	body := []byte(`{"metadata":{"name":"p"},"spec":{"tolerations":[{"key":"a"}]}}`)
	changed := []byte(`{"metadata":{"name":"p"},"spec":{"x":1}}`)
	pods := newBarePods(Options{RescheduleInterruptedBarePods: true, Shared: true})
	if _, _, ok, _ := pods.clone(key, "p"); ok {
		t.Error("a pod that was never applied has a clone")
	}
	if name, what, skip, _ := pods.applying(key, "p", body); name != "p" || skip || string(what) != string(body) {
		t.Errorf("first: %s, %s, skip %t", name, what, skip)
	}
	pods.applied(key, "p", body)
	if _, _, skip, _ := pods.applying(key, "p", body); !skip {
		t.Error("the same again is not skipped")
	}
	_, what, skip, err := pods.applying(key, "p", changed)
	if skip || err != nil {
		t.Errorf("change: skip %t, %v", skip, err)
	}
	checkJSON(t, what, "{metadata: {name: p}, spec: {x: 1, nodeSelector: {type: virtual}, tolerations: [{key: kwok-provider, operator: Exists, effect: NoSchedule}]}}")

	name, what, ok, err := pods.clone(key, "p")
	if name != "p-clone-1" || !ok || err != nil {
		t.Errorf("clone: %s, %t, %v", name, ok, err)
	}
	checkJSON(t, what, "{metadata: {name: p-clone-1, annotations: {static.simkube.io/original-owner: ns/p}}, spec: {tolerations: [{key: a}]}}")
	pods.cloned(key, name)
	if _, _, ok, _ := pods.clone(key, "p"); ok {
		t.Error("a pod that has a clone gets another")
	}
	if to, _, _, _ := pods.applying(key, "p", changed); to != "p-clone-1" {
		t.Errorf("a change goes to %s, want the clone", to)
	}
	if got := pods.deleting(key, "p"); got != "p-clone-1" {
		t.Errorf("delete %s, want the clone", got)
	}
	if _, _, ok, _ := pods.clone(key, "p-clone-1"); ok {
		t.Error("a pod the trace deletes gets a clone")
	}
	pods.forget(key)
	pods.applied(key, "p", body)
	pods.finished(key, "p")
	if _, _, ok, _ := pods.clone(key, "p"); ok {
		t.Error("a pod that finished gets a clone")
	}
}
