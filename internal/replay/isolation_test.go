package replay

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/trace"
)

func isolatedBuilder() *builder {
	return &builder{
		simulation: "sim", root: mutate.Root{Name: "r", UID: "u"},
		config:    &trace.Config{},
		isolation: newIsolation("sim", virtualns.New("virtual")),
	}
}

// Objects with an effect beyond their namespace are changed in a shared cluster. Only the relevant
// fields are compared.
func TestIsolation(t *testing.T) {
	b := isolatedBuilder()
	defined := event(t, 0, []string{
		"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}}",
		"{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}}",
		"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}}",
	}, nil)
	b.define(&defined)
	for name, c := range map[string]struct{ recorded, want string }{
		"priority class": {`
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 7, globalDefault: true}`, `
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: virtual-high}, value: 7}`},
		"role binding": {`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: shop, name: rb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: a, namespace: other}, {kind: Group, name: g}]`, `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: virtual-shop, name: rb}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: a, namespace: virtual-other}, {kind: Group, name: g}]`},
		"network policy": {`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: shop, name: np}
spec:
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}}, {podSelector: {}}]}]
  egress: [{to: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [dns]}]}}]}]`, `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: virtual-shop, name: np}
spec:
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: virtual-other, simkube.io/simulation: sim, simkube.io/virtual: "true"}}}, {podSelector: {}}]}]
  egress: [{to: [{namespaceSelector: {matchLabels: {simkube.io/simulation: sim, simkube.io/virtual: "true"}, matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [virtual-dns]}]}}]}]`},
		"service by the name of another": {`
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: s}, spec: {type: ExternalName, externalName: db.data.svc.cluster.local}}`, `
{apiVersion: v1, kind: Service, metadata: {namespace: virtual-shop, name: s}, spec: {type: ExternalName, externalName: db.virtual-data.svc.cluster.local}}`},
		"service by the name of a host": {`
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: s}, spec: {type: ExternalName, externalName: db.example.com}}`, `
{apiVersion: v1, kind: Service, metadata: {namespace: virtual-shop, name: s}, spec: {type: ExternalName, externalName: db.example.com}}`},
		"gateway route": {`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {namespace: shop, name: r}
spec:
  parentRefs: [{name: gw, namespace: infra}]
  rules: [{backendRefs: [{name: s, namespace: other, port: 80}]}]`, `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {namespace: virtual-shop, name: r}
spec:
  parentRefs: [{name: gw, namespace: virtual-infra}]
  rules: [{backendRefs: [{name: s, namespace: virtual-other, port: 80}]}]`},
		"runtime class": {`
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}, handler: runsc}`, `
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: virtual-gvisor}, handler: runsc}`},
		"storage class": {`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: fast
  annotations: {storageclass.kubernetes.io/is-default-class: "true", storageclass.beta.kubernetes.io/is-default-class: "true", a: b}
provisioner: ebs
reclaimPolicy: Retain`, `
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: virtual-fast, annotations: {a: b}}, provisioner: ebs, reclaimPolicy: Delete}`},
		"volume": {`
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv}
spec:
  capacity: {storage: 1Gi}
  csi: {driver: ebs, volumeHandle: vol-1}
  storageClassName: fast
  persistentVolumeReclaimPolicy: Delete
  claimRef: {namespace: shop, name: data, uid: x}
  nodeAffinity: {required: {}}`, `
apiVersion: v1
kind: PersistentVolume
metadata: {name: virtual-pv}
spec:
  capacity: {storage: 1Gi}
  hostPath: {path: /nonexistent}
  storageClassName: virtual-fast
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: virtual-shop, name: data}
  nodeAffinity: {required: {}}`},
		"claim": {`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop, annotations: {volume.beta.kubernetes.io/storage-class: fast}}
spec: {storageClassName: fast, volumeName: pv, dataSourceRef: {kind: PersistentVolumeClaim, name: other, namespace: prod}}`, `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: virtual-shop, annotations: {volume.beta.kubernetes.io/storage-class: virtual-fast}}
spec: {storageClassName: virtual-fast, dataSourceRef: {kind: PersistentVolumeClaim, name: other, namespace: virtual-prod}}`},
		"claim of a class of the cluster": {`
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: shop}, spec: {storageClassName: slow}}`, `
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: virtual-shop}, spec: {storageClassName: slow}}`},
		"claims of a stateful set": {`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec: {template: {spec: {priorityClassName: high}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast}}]}`, `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: virtual-shop}
spec:
  template:
    metadata: {annotations: {static.simkube.io/original-namespace: shop}}
    spec: {priorityClassName: virtual-high}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: virtual-fast}}]`},
		"quota": {`
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: shop}
spec: {scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high, low]}]}}`, `
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: virtual-shop}
spec: {scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [virtual-high, low]}]}}`},
		"load balancer": {`
apiVersion: v1
kind: Service
metadata: {name: s, namespace: shop, annotations: {external-dns.alpha.kubernetes.io/hostname: shop.example.com}}
spec:
  type: LoadBalancer
  externalIPs: [192.0.2.1]
  loadBalancerIP: 192.0.2.2
  loadBalancerClass: x/y
  loadBalancerSourceRanges: [0.0.0.0/0]
  externalTrafficPolicy: Local
  healthCheckNodePort: 30001
  allocateLoadBalancerNodePorts: true
  ports: [{port: 80, nodePort: 30000}]`, `
{apiVersion: v1, kind: Service, metadata: {name: s, namespace: virtual-shop}, spec: {type: ClusterIP, ports: [{port: 80}]}}`},
		"node port": {`
{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop}, spec: {type: NodePort, ports: [{port: 80, nodePort: 30000}]}}`, `
{apiVersion: v1, kind: Service, metadata: {name: s, namespace: virtual-shop}, spec: {type: ClusterIP, ports: [{port: 80}]}}`},
		"ingress": {`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: shop, annotations: {kubernetes.io/ingress.class: nginx, cert-manager.io/cluster-issuer: le}}
spec:
  tls: [{hosts: [shop.example.com], secretName: x}]
  rules: [{host: shop.example.com}, {http: {}}]`, `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: virtual-shop}
spec:
  ingressClassName: virtual-none
  tls: [{hosts: [shop.example.com.invalid], secretName: x}]
  rules: [{host: shop.example.com.invalid}, {http: {}}]`},
		"pod": {`
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  priorityClassName: high
  runtimeClassName: gvisor
  volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast}}}}]
  affinity:
    podAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 1, podAffinityTerm: {topologyKey: zone, namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [prod]}]}}}
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - {topologyKey: zone, namespaceSelector: {}}
      - {topologyKey: zone, namespaces: [prod]}
      - {topologyKey: zone}`, `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: virtual-shop, annotations: {static.simkube.io/original-namespace: shop}}
spec:
  priorityClassName: virtual-high
  runtimeClassName: virtual-gvisor
  volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: virtual-fast}}}}]
  affinity:
    podAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 1
        podAffinityTerm:
          topologyKey: zone
          namespaceSelector:
            matchLabels: {simkube.io/simulation: sim, simkube.io/virtual: "true"}
            matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [virtual-prod]}]
    podAntiAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - {topologyKey: zone, namespaceSelector: {matchLabels: {simkube.io/simulation: sim, simkube.io/virtual: "true"}}}
      - {topologyKey: zone, namespaces: [virtual-prod]}
      - {topologyKey: zone}`},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := b.build(&objects(t, c.recorded)[0])
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			metadata := child(got, "metadata")
			delete(metadata, "labels")
			delete(metadata, "ownerReferences")
			if len(child(metadata, "annotations")) == 0 {
				delete(metadata, "annotations")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A host without space for another label keeps its end.
func TestUnreachable(t *testing.T) {
	for _, host := range []string{"a.example.com", "*.example.com", strings.Repeat("abcdefghi.", 25) + "com"} {
		got := unreachable(host)
		if len(got) > 253 || !strings.HasSuffix(got, "example.com.invalid") && !strings.HasSuffix(got, "abcdefghi.com.invalid") || strings.HasPrefix(got, ".") {
			t.Errorf("unreachable(%q) = %q", host, got)
		}
	}
}

// Volumes without a claim could be bound to a claim of another workload.
func TestIsolation_unclaimedVolume(t *testing.T) {
	b := isolatedBuilder()
	for _, spec := range []string{
		"{hostPath: {path: /etc}}", "{hostPath: {path: /etc}, claimRef: {}}", "{claimRef: {name: data}}", "{claimRef: {namespace: 3, name: data}}", "{claimRef: x}",
	} {
		object := objects(t, "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: "+spec+"}")
		_, err := b.build(&object[0])
		if leftOut := (*leftOutError)(nil); !errors.As(err, &leftOut) {
			t.Errorf("build with %s = %v, want it left out", spec, err)
		}
	}
}

// In a shared cluster, objects that affect other workloads are left out, with one problem for each
// object. The problem does not end a run with FailFast.
func TestRun_leavesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			definition = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}}"
			class      = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, globalDefault: true}"
			free       = "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {hostPath: {path: /etc}}}"
			claimed    = "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {claimRef: {namespace: ns, name: data}}}"
		)
		target := newFake()
		target.served[schema.GroupVersionKind{Version: "v1", Kind: "PersistentVolume"}] = false
		report, _, err := replayed(t, target, Options{Shared: true, FailFast: true}, Plan{},
			event(t, 0, []string{definition, class, free}, nil),
			event(t, 1, []string{definition, free}, nil),
			event(t, 2, nil, []string{definition, free}),
			event(t, 3, []string{free}, nil),
			event(t, 4, []string{claimed}, nil),
			event(t, 5, nil, []string{class, claimed}),
		)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[Category]int{LeftOut: 3}, report.ProblemCounts); diff != "" {
			t.Errorf("problems (-want +got):\n%s", diff)
		}
		if report.Applied != 2 || report.Deleted != 2 || report.Events != 6 {
			t.Errorf("report = %+v, want the class and the claimed volume applied and deleted", report)
		}
		want := []string{
			"create simulationroots sk-sim-root",
			"apply priorityclasses virtual-high", "apply persistentvolumes virtual-pv",
			"delete priorityclasses virtual-high", "delete persistentvolumes virtual-pv",
		}
		if diff := cmp.Diff(want, target.lines("")); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if want := map[string]int{"a PriorityClass is not the default": 1, "a PersistentVolume has no storage behind it": 1}; !cmp.Equal(report.Isolated, want) {
			t.Errorf("isolated = %v, want %v", report.Isolated, want)
		}
	})
}
