package validate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// ruleCase is a trace with the expected findings and suggestion.
type ruleCase struct {
	trace string
	opts  Options
	// want has a line per finding: code, kind, name, path, event, count.
	want []string
	// program is the expected suggestion, without comments and empty lines. It is not checked if it is
	// empty.
	program string
}

func ruleCases() map[string]ruleCase {
	account := `{serviceAccountName: robot, serviceAccount: robot, containers: []}`
	return map[string]ruleCase{
		"service account": {
			trace:   events(at(1, deployment("web", account)), at(5, deployment("web", account), deployment("api", "{serviceAccountName: robot}"))),
			want:    []string{"E0001 Deployment shop/api spec.template.spec.serviceAccountName 1 x1", "E0001 Deployment shop/web spec.template.spec.serviceAccountName 0 x2"},
			program: "remove(spec.template.spec.serviceAccountName);\nremove(spec.template.spec.serviceAccount);",
		},
		"names that are paths": {
			trace: events(
				at(1, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: x/../../prod, name: settings}}`, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: a.b}}`),
				gone(2, `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a/b}}`, `{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: ..}}`)),
			opts: Options{Ignore: []string{"W0102"}},
			want: []string{
				"E0106 StorageClass a/b metadata.name 1 x1",
				"E0106 ConfigMap shop/.. metadata.name 1 x1",
				"E0106 ConfigMap x/../../prod/settings metadata.namespace 0 x1",
			},
			program: `delete(@gvk == "storage.k8s.io/v1.StorageClass" && metadata.name == "a/b");
delete(@gvk == "v1.ConfigMap" && metadata.namespace == "shop" && metadata.name == "..");
delete(@gvk == "v1.ConfigMap" && metadata.namespace == "x/../../prod" && metadata.name == "settings");`,
		},
		"unbearable values": {
			trace: events(
				at(1, `{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web}, spec: {replicas: 5000000, template: {spec: {
  containers: [{name: a, env: [{name: HASH, value: "1e999999999"}], resources: {requests: {cpu: "1", memory: "1e999999999"}, limits: {memory: "4e-123456789"}}}],
  volumes: [{name: tmp, emptyDir: {sizeLimit: 1E2147483648}}]}}}}`),
				at(2, `{apiVersion: batch/v1, kind: Job, metadata: {namespace: shop, name: job, annotations: {replicas: "-1"}}, spec: {parallelism: -1, completions: 1000000}}`),
				at(3, `{apiVersion: example.com/v1, kind: Fleet, metadata: {namespace: shop, name: own}, spec: {replicas: -1, limits: {cpu: 1e5, note: no limit 1e99999}}}`)),
			opts: Options{Ignore: []string{"E0104", "W0107"}},
			want: []string{
				"E0105 Deployment shop/web spec.replicas 0 x1",
				"E0105 Deployment shop/web spec.template.spec.containers[0].resources.limits.memory 0 x1",
				"E0105 Deployment shop/web spec.template.spec.containers[0].resources.requests.memory 0 x1",
				"E0105 Deployment shop/web spec.template.spec.volumes[0].emptyDir.sizeLimit 0 x1",
				"E0105 Job shop/job spec.parallelism 1 x1",
			},
		},
		"service account is there": {
			trace: events(at(1, deployment("web", account)), at(1, manifest("v1 ServiceAccount", "robot")), at(9, deployment("api", account))),
		},
		"service account of the older field": {
			trace: events(at(1, deployment("web", "{serviceAccount: robot}"))),
			want:  []string{"E0001 Deployment shop/web spec.template.spec.serviceAccount 0 x1"},
		},
		"service account comes later": {
			trace: events(at(1, deployment("web", account)), at(2, manifest("v1 ServiceAccount", "robot"), deployment("web", account))),
			want:  []string{"E0001 Deployment shop/web spec.template.spec.serviceAccountName 0 x1"},
		},
		"service account goes": {
			trace: events(
				at(1, manifest("v1 ServiceAccount", "robot")), at(2, deployment("web", account)),
				gone(3, manifest("v1 ServiceAccount", "robot")), at(3, deployment("web", account)), at(4, deployment("web", account)),
			),
			want: []string{"E0001 Deployment shop/web spec.template.spec.serviceAccountName 4 x1"},
		},
		"service account may have been created again": {
			trace: events(
				at(1, manifest("v1 ServiceAccount", "robot")),
				"- {ts: 2, applied: ["+manifest("v1 ServiceAccount", "robot")+"], deleted: ["+manifest("v1 ServiceAccount", "robot")+"]}\n",
				at(3, deployment("web", account)),
				gone(4, manifest("v1 ServiceAccount", "robot")),
				at(5, deployment("api", account)),
				"- {ts: 6, applied: ["+manifest("v1 ServiceAccount", "robot")+"], deleted: ["+manifest("v1 ServiceAccount", "robot")+"]}\n",
				at(7, deployment("cart", account)),
			),
			opts: Options{Ignore: []string{"W0109"}},
			want: []string{
				"E0001 Deployment shop/api spec.template.spec.serviceAccountName 4 x1",
				"E0001 Deployment shop/cart spec.template.spec.serviceAccountName 6 x1",
			},
		},
		"service account by default": {
			trace: events(at(1, deployment("web", "{serviceAccountName: default}"), deployment("api", account))),
			want:  []string{"E0001 Deployment shop/api spec.template.spec.serviceAccountName 0 x1"},
			program: `remove(spec.template.spec.serviceAccountName == "robot", spec.template.spec.serviceAccountName);
remove(spec.template.spec.serviceAccount == "robot", spec.template.spec.serviceAccount);`,
		},
		"service account in another namespace": {
			trace: events(at(
				1, strings.Replace(manifest("v1 ServiceAccount", "robot"), "shop", "ci", 1), strings.Replace(deployment("web", account), "shop", "ci", 1),
				deployment("web", account),
			)),
			want: []string{"E0001 Deployment shop/web spec.template.spec.serviceAccountName 0 x1"},
			program: `remove(metadata.namespace == "shop" && spec.template.spec.serviceAccountName == "robot", spec.template.spec.serviceAccountName);
remove(metadata.namespace == "shop" && spec.template.spec.serviceAccount == "robot", spec.template.spec.serviceAccount);`,
		},
		"environment from secrets": {
			trace: events(at(1, deployment("web", `{containers: [{name: a, env: [{name: X, value: "1"}, {name: A, valueFrom: {secretKeyRef: {name: db, key: x}}},
  {name: B, valueFrom: {secretKeyRef: {name: db, key: y}}}], envFrom: [{secretRef: {name: db}}]}],
  initContainers: [{name: i, env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: x}}}]}]}`))),
			want: []string{
				"E0002 Deployment shop/web spec.template.spec.containers[0].env[1].valueFrom.secretKeyRef.name 0 x1",
				"E0002 Deployment shop/web spec.template.spec.containers[0].env[2].valueFrom.secretKeyRef.name 0 x1",
				"E0002 Deployment shop/web spec.template.spec.containers[0].envFrom[0].secretRef.name 0 x1",
				"E0002 Deployment shop/web spec.template.spec.initContainers[0].env[0].valueFrom.secretKeyRef.name 0 x1",
			},
			program: `remove($x := spec.template.spec.containers[*].env[*] | exists($x.valueFrom.secretKeyRef), $x);
remove($x := spec.template.spec.initContainers[*].env[*] | exists($x.valueFrom.secretKeyRef), $x);
remove($x := spec.template.spec.containers[*].envFrom[*] | exists($x.secretRef), $x);`,
		},
		"environment from optional secrets": {
			trace: events(at(1, deployment("web", `{containers: [{name: a, env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: x, optional: true}}},
  {name: B, valueFrom: {secretKeyRef: {name: other, key: x, optional: false}}}], envFrom: [{secretRef: {name: db, optional: true}}]}]}`))),
			want:    []string{"E0002 Deployment shop/web spec.template.spec.containers[0].env[1].valueFrom.secretKeyRef.name 0 x1"},
			program: `remove($x := spec.template.spec.containers[*].env[*] | $x.valueFrom.secretKeyRef.name == "other", $x);`,
		},
		"environment from config maps": {
			trace: events(at(1, manifest("v1 ConfigMap", "there"), `{apiVersion: batch/v1, kind: CronJob, metadata: {namespace: shop, name: night}, spec: {jobTemplate: {spec: {template: {spec:
  {containers: [{name: a, envFrom: [{configMapRef: {name: settings}}, {configMapRef: {name: there}}], env: [{name: A, valueFrom: {configMapKeyRef: {key: there, name: settings}}}]}]}}}}}}`)),
			want: []string{
				"E0003 CronJob shop/night spec.jobTemplate.spec.template.spec.containers[0].env[0].valueFrom.configMapKeyRef.name 0 x1",
				"E0003 CronJob shop/night spec.jobTemplate.spec.template.spec.containers[0].envFrom[0].configMapRef.name 0 x1",
			},
			program: `remove($x := spec.jobTemplate.spec.template.spec.containers[*].env[*] | exists($x.valueFrom.configMapKeyRef), $x);
remove($x := spec.jobTemplate.spec.template.spec.containers[*].envFrom[*] | $x.configMapRef.name == "settings", $x);`,
		},
		"volumes of secrets": {
			trace: events(at(1, crd, volcano(`{volumes: [{name: tls, secret: {secretName: cert}}, {name: tmp, emptyDir: {}}, {name: all, projected: {sources: [{secret: {name: cert}}, {secret: {name: x, optional: true}}]}}],
  containers: [{name: a, volumeMounts: [{name: tls, mountPath: /a}, {name: tmp, mountPath: /b}, {name: all, mountPath: /c}]}]}`))),
			want: []string{
				"E0004 Job shop/train spec.tasks[1].template.spec.volumes[0].secret.secretName 0 x1",
				"E0004 Job shop/train spec.tasks[1].template.spec.volumes[2].projected.sources[0].secret.name 0 x1",
			},
			program: `remove($x := spec.tasks[*].template.spec.volumes[*] | exists($x.secret) && $m := spec.tasks[*].template.spec.containers[*].volumeMounts[*] | $m.name == $x.name, $m);
remove($x := spec.tasks[*].template.spec.volumes[*] | exists($x.secret), $x);
remove($x := spec.tasks[*].template.spec.volumes[*].projected.sources[*] | $x.secret.name == "cert", $x);`,
		},
		"volumes of config maps": {
			trace: events(at(1, `{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: bare}, spec: {
  volumes: [{name: c, configMap: {name: settings}}, {name: kube-api-access-x, projected: {sources: [{serviceAccountToken: {path: t}}, {configMap: {name: other}}]}}, {name: ca, configMap: {name: kube-root-ca.crt}}],
  containers: [{name: a}], initContainers: [{name: i, volumeMounts: [{name: c, mountPath: /c}]}]}}`)),
			want: []string{"E0005 Pod shop/bare spec.volumes[0].configMap.name 0 x1"},
			program: `remove($x := spec.volumes[*] | $x.configMap.name == "settings" && $m := spec.initContainers[*].volumeMounts[*] | $m.name == $x.name, $m);
remove($x := spec.volumes[*] | $x.configMap.name == "settings", $x);`,
		},
		"claims": {
			trace: events(at(1, deployment("db", `{volumes: [{name: data, persistentVolumeClaim: {claimName: data}}, {name: raw, persistentVolumeClaim: {claimName: raw}}],
  containers: [{name: a, volumeMounts: [{name: data, mountPath: /d}], volumeDevices: [{name: raw, devicePath: /r}]}]}`),
				`{apiVersion: apps/v1, kind: StatefulSet, metadata: {namespace: shop, name: own}, spec: {template: {spec: {volumes: [{name: data, persistentVolumeClaim: {claimName: x}}]}},
  volumeClaimTemplates: [{metadata: {name: data}}]}}`), at(2, manifest("v1 PersistentVolumeClaim", "later"))),
			want: []string{
				"E0101 Deployment shop/db spec.template.spec.volumes[0].persistentVolumeClaim.claimName 0 x1",
				"E0101 Deployment shop/db spec.template.spec.volumes[1].persistentVolumeClaim.claimName 0 x1",
			},
		},
		"claims and classes come later": {
			trace: events(at(1, deployment("web", `{priorityClassName: gold, runtimeClassName: gvisor, volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}`),
				`{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: bare}, spec: {priorityClassName: gold, volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}}`),
				at(2, manifest("v1 PersistentVolumeClaim", "data"), `{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: gold}, value: 1}`,
					`{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}, handler: x}`)),
			want:    []string{"E0102 Pod shop/bare spec.priorityClassName 0 x1"},
			program: `remove(spec.priorityClassName);`,
		},
		"storage classes": {
			trace: events(at(1,
				`{apiVersion: apps/v1, kind: StatefulSet, metadata: {namespace: shop, name: db}, spec: {template: {spec: {containers: []}},
  volumeClaimTemplates: [{metadata: {name: logs}, spec: {storageClassName: slow}}, {metadata: {name: data}, spec: {storageClassName: fast}}]}}`,
				`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: files}, spec: {storageClassName: fast}}`,
				`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: usual}, spec: {storageClassName: standard}}`),
				at(2, `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}, provisioner: x}`)),
			want: []string{
				"E0108 StatefulSet shop/db spec.volumeClaimTemplates[1].spec.storageClassName 0 x1",
				"E0108 PersistentVolumeClaim shop/files spec.storageClassName 0 x1",
			},
			program: `remove(@gvk == "apps/v1.StatefulSet" && metadata.namespace == "shop" && metadata.name == "db", spec.volumeClaimTemplates[1].spec.storageClassName);
remove(@gvk == "v1.PersistentVolumeClaim" && metadata.namespace == "shop" && metadata.name == "files", spec.storageClassName);`,
		},
		"classes": {
			trace: events(at(1, deployment("web", "{priorityClassName: gold, runtimeClassName: gvisor}"), deployment("sys", "{priorityClassName: system-node-critical}"))),
			want: []string{
				"E0102 Deployment shop/web spec.template.spec.priorityClassName 0 x1", "E0103 Deployment shop/web spec.template.spec.runtimeClassName 0 x1",
			},
			program: `remove(spec.template.spec.priorityClassName == "gold", spec.template.spec.priorityClassName);
remove(spec.template.spec.runtimeClassName);`,
		},
		"classes are there": {
			trace: events(at(1, deployment("web", "{priorityClassName: gold, runtimeClassName: gvisor}"),
				`{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: gold}, value: 1}`,
				`{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}, handler: x}`)),
		},
		"apis": {
			trace: events(at(
				1, volcano("{}"), `{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {namespace: shop, name: b}}`, manifest("batch/v1beta1 CronJob", "c"),
				manifest("extensions/v1beta1 Ingress", "i"), manifest("simkube.io/v1 Simulation", "s"),
			)),
			want: []string{
				"E0104 CronJob shop/c apiVersion 0 x1", "E0104 Ingress shop/i apiVersion 0 x1",
				"E0104 PodDisruptionBudget shop/b apiVersion 0 x1", "W0105 Simulation shop/s  0 x1",
				"W0107 Job shop/train apiVersion 0 x1",
			},
			program: `modify(@gvk == "batch/v1beta1.CronJob", apiVersion = "batch/v1");
delete(@gvk == "extensions/v1beta1.Ingress");
modify(@gvk == "policy/v1beta1.PodDisruptionBudget", apiVersion = "policy/v1");
delete(@gvk == "simkube.io/v1.Simulation");
delete(@gvk == "batch.volcano.sh/v1alpha1.Job");`,
		},
		"apis that are defined": {
			trace: events(at(1, volcano("{}")), at(1, crd), at(2, crd), gone(3, crd), at(3, volcano("{}")), at(4, volcano("{}"))),
			want:  []string{"E0104 Job shop/train apiVersion 5 x1"},
		},
		"apis of a shared cluster": {
			trace:   events(at(1, volcano("{}"))),
			opts:    Options{Shared: true},
			want:    []string{"E0104 Job shop/train apiVersion 0 x1"},
			program: `delete(@gvk == "batch.volcano.sh/v1alpha1.Job");`,
		},
		"apis that are defined later": {
			trace: events(at(1, volcano("{}")), at(2, crd), at(3, volcano("{}"))),
			want:  []string{"E0104 Job shop/train apiVersion 0 x1"},
		},
		"apis that are known": {
			trace: events(at(1, volcano("{}"), manifest("cert-manager.io/v1 Issuer", "i"))),
			opts:  Options{KnownAPIs: []string{"batch.volcano.sh", "cert-manager.io/v1"}},
		},
		"status": {
			trace: events(at(1, `{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: p}, status: {phase: Running}}`,
				`{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: q}, status: {}}`, `{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: r}, status: null}`)),
			want:    []string{"W0000 Pod shop/p status 0 x1"},
			program: "remove(status);",
		},
		"deletions": {
			trace: events(
				gone(1, manifest("v1 Pod", "a"), manifest("v1 Pod", "b"), manifest("v1 Pod", "c")), at(2, manifest("v1 Pod", "b")), gone(3, manifest("v1 Pod", "b")),
				gone(4, manifest("v1 Pod", "b")), at(5, manifest("v1 Pod", "d")), gone(5, manifest("v1 Pod", "d")),
			),
			want: []string{"W0102 Pod shop/a  0 x1", "W0102 Pod shop/b  0 x1", "W0102 Pod shop/b  3 x1", "W0102 Pod shop/c  0 x1", "W0109 Pod shop/d  4 x1"},
			program: `delete(@gvk == "v1.Pod" && metadata.namespace == "shop" && metadata.name in ["a", "c"]);
delete(@t == 1 && @gvk == "v1.Pod" && metadata.namespace == "shop" && metadata.name == "b");
delete(@t == 4 && @gvk == "v1.Pod" && metadata.namespace == "shop" && metadata.name == "b");
# Nothing need be done.`,
		},
		"quota": {
			trace: events(
				at(1, replicas("early", 2, "1")),
				at(2, quota("limits", `{pods: 5, requests.cpu: "4", requests.storage: 1Gi, services: 1, count/pods: 100, persistentvolumeclaims: 0}`), replicas("fits", 2, "1")),
				at(3, replicas("cpu", 1, "500m")),
				at(4, replicas("cpu", 1, "500m")),
				gone(5, manifest("apps/v1 Deployment", "cpu")),
				at(6, replicas("pods", 2, "0"), job("done", 9, 1)),
				at(7, strings.Replace(replicas("other", 9, "9"), "shop", "ci", 1)),
				gone(8, manifest("v1 ResourceQuota", "limits")),
				at(9, replicas("free", 100, "1")),
			),
			want: []string{
				"W0108 Deployment shop/cpu spec.template.spec 2 x2",
				"W0108 Deployment shop/pods spec.template.spec 5 x1",
				"W0108 Job shop/done spec.template.spec 5 x1",
				"W0108 Job shop/done spec.template.spec 5 x1",
			},
			program: `delete(@gvk == "v1.ResourceQuota" && metadata.namespace == "shop");`,
		},
		"quota, without requests": {
			trace: events(at(1, quota("limits", `{cpu: "4"}`), deployment("web", `{containers: [{name: a}]}`))),
			want:  []string{"W0108 Deployment shop/web spec.template.spec 0 x1"},
		},
		"quota, with default requests": {
			trace: events(at(1, quota("limits", `{cpu: "4"}`), manifest("v1 LimitRange", "defaults"), deployment("web", `{containers: [{name: a}]}`))),
		},
		"quota of a scope": {
			trace: events(at(1, strings.Replace(quota("limits", `{pods: 0}`), "spec: {", "spec: {scopes: [BestEffort], ", 1), replicas("web", 3, "1"))),
		},
		"several changes within a second": {
			trace: events(
				at(1, replicas("web", 1, "1"), replicas("web", 2, "1"), replicas("api", 1, "1"), replicas("api", 1, "1"), replicas("gone", 1, "1")),
				"- {ts: 2, applied: ["+replicas("gone", 1, "1")+"], deleted: ["+manifest("apps/v1 Deployment", "gone")+"]}\n",
				at(3, replicas("web", 3, "1")), gone(4, manifest("apps/v1 Deployment", "web")), at(4, replicas("web", 3, "1")),
			),
			want: []string{"W0109 Deployment shop/gone  1 x1", "W0109 Deployment shop/web  0 x1", "W0109 Deployment shop/web  4 x1"},
		},
		"recreated": {
			trace: events(
				at(1, job("a", 1, 1), class("fast", "ssd"), class("slow", "disk"), selected("web", "a"), selected("api", "a")),
				at(2, strings.Replace(job("a", 1, 1), "busybox", "alpine", 1), class("fast", "nvme"), class("slow", "disk"), selected("web", "b")),
				gone(3, manifest("apps/v1 Deployment", "api")),
				at(4, selected("api", "b"), strings.Replace(job("a", 7, 8), "busybox", "alpine", 1)),
			),
			want: []string{"W0110 Deployment shop/web  1 x1", "W0110 Job shop/a  1 x1", "W0110 StorageClass fast  1 x1"},
		},
		"suspended job": {
			trace: events(at(1, strings.Replace(job("a", 1, 1), "spec: {", "spec: {suspend: true, ", 1)), at(2, strings.Replace(job("a", 1, 1), "busybox", "alpine", 1))),
		},
		"references to namespaces": {
			trace:   events(at(1, custom("shop"), custom("elsewhere"))),
			opts:    Options{Shared: true, KnownAPIs: []string{"example.com"}},
			want:    []string{"W0111 App shop/shop spec.destination.namespace 0 x1", "W0111 App shop/shop spec.watchNamespaces[1] 0 x1"},
			program: `delete(@gvk == "example.com/v1.App");`,
		},
		"references to namespaces, verbatim": {
			trace: events(at(1, custom("shop"))),
			opts:  Options{KnownAPIs: []string{"example.com"}},
		},
		"long namespaces": {
			trace: events(at(1, strings.Replace(manifest("v1 ConfigMap", "a"), "shop", strings.Repeat("a", 56), 1),
				strings.Replace(manifest("v1 ConfigMap", "b"), "shop", strings.Repeat("a", 56), 1),
				strings.Replace(manifest("v1 ConfigMap", "c"), "shop", strings.Repeat("b", 55), 1))),
			opts: Options{Shared: true},
			want: []string{"W0112 ConfigMap " + strings.Repeat("a", 56) + "/a  0 x1"},
		},
		"nodes": {
			trace: "nodes: [{cpu: '4', memory: 8Gi}, {cpu: '2', memory: 16Gi}]\n" + events(at(
				1, deployment("fits", `{containers: [{name: a, resources: {requests: {cpu: 2, memory: 8Gi}}}]}`),
				deployment("cpu", `{containers: [{name: a, resources: {requests: {cpu: "3", memory: 1Gi}}}, {name: b, resources: {limits: {cpu: 1500m}}}]}`),
				deployment("both", `{containers: [{name: a, resources: {requests: {cpu: "4", memory: 16Gi}}}]}`),
				deployment("over", `{overhead: {cpu: "3"}, containers: []}`), deployment("pod", `{resources: {requests: {cpu: "3"}, limits: {memory: 10Gi}}, containers: [{name: a}]}`),
				deployment("side", `{initContainers: [{name: i, restartPolicy: Always, resources: {requests: {cpu: "2"}}}], containers: [{name: a, resources: {requests: {cpu: 2500m}}}]}`),
				deployment("init", `{initContainers: [{name: i, resources: {requests: {cpu: "2"}}}], containers: [{name: a, resources: {requests: {cpu: 2500m}}}]}`),
				deployment("gpu", `{initContainers: [{name: a, resources: {limits: {nvidia.com/gpu: 1}}}]}`),
			), at(2, deployment("cpu", `{containers: [{name: a, resources: {requests: {cpu: "1"}}}]}`))),
			want: []string{
				"W0103 Deployment shop/both spec.template.spec 0 x1", "W0103 Deployment shop/cpu spec.template.spec 0 x1", "W0103 Deployment shop/gpu spec.template.spec 0 x1",
				"W0103 Deployment shop/pod spec.template.spec 0 x1", "W0103 Deployment shop/side spec.template.spec 0 x1",
			},
		},
		"nodes and amounts beyond all reason": {
			trace: events(at(1, deployment("web", `{containers: [{name: a, resources: {requests: {cpu: "1e1000000000", memory: "1e-1000000000", x: "9999999999999999999999999999E", y: -5, z: nonsense}}},
  {name: b, resources: {requests: {cpu: "1e18", memory: "1e18"}}}]}`))),
			opts: Options{Node: shape("cpu=4,memory=8Gi")},
			want: []string{
				"E0105 Deployment shop/web spec.template.spec.containers[0].resources.requests.cpu 0 x1",
				"E0105 Deployment shop/web spec.template.spec.containers[0].resources.requests.memory 0 x1",
				"W0103 Deployment shop/web spec.template.spec 0 x1",
			},
		},
		"nodes of a shape": {
			trace: events(at(1, deployment("web", `{containers: [{name: a, resources: {requests: {cpu: "5"}}}]}`))),
			opts:  Options{Node: shape("cpu=4,memory=8Gi")},
			want:  []string{"W0103 Deployment shop/web spec.template.spec 0 x1"},
			program: `remove(@gvk == "apps/v1.Deployment" && metadata.namespace == "shop" && metadata.name == "web", spec.template.spec.containers[*].resources.requests.cpu);
remove(@gvk == "apps/v1.Deployment" && metadata.namespace == "shop" && metadata.name == "web", spec.template.spec.containers[*].resources.limits.cpu);`,
		},
		"kinds of known apis": {
			trace: events(at(1, manifest("apps/v1 Fleet", "a"), manifest("apps/v1 DeploymentList", "b"), manifest("apps/v1 ReplicaSet", "c"))),
			want:  []string{"E0104 DeploymentList shop/b apiVersion 0 x1", "E0104 Fleet shop/a apiVersion 0 x1"},
		},
		"left out": {
			trace: events(
				at(1, `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: w}, webhooks: [
  {rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]}], status: {x: 1}}`,
					`{apiVersion: admissionregistration.k8s.io/v1beta1, kind: MutatingWebhookConfiguration, metadata: {name: m}}`,
					`{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.apps}}`,
					`{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.metrics.k8s.io}, spec: {service: {name: m}}}`,
					manifest("coordination.k8s.io/v1 Lease", "l")),
				gone(2, `{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.apps}}`, `{apiVersion: v1, kind: Node, metadata: {name: node1}}`)),
			want: []string{
				"W0104 ValidatingWebhookConfiguration w webhooks[0].rules[0] 0 x1", "W0104 APIService v1beta1.metrics.k8s.io spec.service 0 x1",
				"W0105 MutatingWebhookConfiguration m  0 x1", "W0105 APIService v1.apps  0 x1", "W0105 Lease shop/l  0 x1",
			},
			program: `delete(@gvk == "admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration");
delete(@gvk == "apiregistration.k8s.io/v1.APIService");
delete(@gvk == "admissionregistration.k8s.io/v1beta1.MutatingWebhookConfiguration");
delete(@gvk == "apiregistration.k8s.io/v1.APIService");
delete(@gvk == "coordination.k8s.io/v1.Lease");`,
		},
		"left out of a shared cluster": {
			trace: events(at(1, `{apiVersion: v1, kind: Node, metadata: {name: node1}}`, manifest("v1 Event", "e"))),
			opts:  Options{Shared: true},
			want:  []string{"W0105 Event shop/e  0 x1"},
		},
		"pod security": {
			trace: events(
				at(1, deployment("first", "{hostNetwork: true, containers: [{name: a}]}"),
					`{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}}`,
					deployment("agent", "{containers: [{name: a, securityContext: {privileged: true}}]}"), deployment("web", "{containers: [{name: a}]}"), crd,
					volcano("{hostPID: true, containers: [{name: a}]}")),
				at(5, `{apiVersion: v1, kind: Namespace, metadata: {name: shop}}`, deployment("later", "{hostNetwork: true, containers: []}")),
				at(6, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: privileged, pod-security.kubernetes.io/warn: restricted}}}`),
				at(7, deployment("last", "{hostNetwork: true, containers: []}"))),
			want: []string{
				"E0107 Deployment shop/agent spec.template.spec 0 x1", "E0107 Deployment shop/first spec.template.spec 0 x1",
				"E0107 Job shop/train spec.tasks[1].template.spec 0 x1",
			},
			program: `remove(@gvk == "v1.Namespace" && metadata.name == "shop", metadata.labels."pod-security.kubernetes.io/enforce");`,
		},
		"pod security, restricted": {
			trace: events(at(1, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}}`,
				`{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: bare}, spec: {containers: [{name: a}]}}`)),
			want: []string{"E0107 Pod shop/bare spec 0 x1"},
		},
		"conversion": {
			trace:   events(at(1, strings.Replace(crd, "spec: {", `spec: {conversion: {strategy: Webhook, webhook: {clientConfig: {url: "https://127.0.0.1/"}}}, `, 1)), at(2, crd)),
			want:    []string{"W0106 CustomResourceDefinition jobs.batch.volcano.sh spec.conversion 0 x1"},
			program: `remove(kind == "CustomResourceDefinition" && spec.conversion.strategy == "Webhook", spec.conversion);`,
		},
		"service account in a shared cluster": {
			trace: events(at(1, deployment("web", account))),
			opts:  Options{Shared: true},
			want:  []string{"E0001 Deployment shop/web spec.template.spec.serviceAccountName 0 x1"},
		},
		"ignored": {
			trace: events(at(1, deployment("web", account))),
			opts:  Options{Ignore: []string{"e0001"}},
		},
	}
}

func shape(text string) *nodes.Shape {
	s, err := nodes.ParseShape(text)
	if err != nil {
		panic(err)
	}
	return &s
}

func lines(report *Report) []string {
	var out []string
	for _, f := range report.Findings {
		kind, name := "", ""
		if f.Object != nil {
			kind, name = f.Object.GVK.Kind, f.Object.Name
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %d x%d", f.Rule.Code, kind, name, f.Path, f.Event, f.Count))
	}
	return out
}

func TestRules(t *testing.T) {
	for name, tc := range ruleCases() {
		t.Run(name, func(t *testing.T) {
			report := check(t, makeTrace(t, tc.trace), tc.opts)
			if diff := cmp.Diff(tc.want, lines(report)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if tc.program == "" {
				return
			}
			var got strings.Builder
			for _, s := range report.Suggestions {
				got.WriteString(s.Program)
			}
			if diff := cmp.Diff(tc.program+"\n", got.String()); diff != "" {
				t.Errorf("program (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRules_Suggestions applies the suggestions and checks that the trace passes.
func TestRules_Suggestions(t *testing.T) {
	for name, tc := range ruleCases() {
		t.Run(name, func(t *testing.T) {
			data := makeTrace(t, tc.trace)
			report := check(t, data, tc.opts)
			fixed := transform(t, data, report.program(true))
			got := slices.DeleteFunc(lines(check(t, fixed, tc.opts)), func(line string) bool {
				rule, _ := Find(line[:5])
				return rule.inherent
			})
			if len(got) > 0 {
				t.Errorf("after\n%s\nthere is still\n%s", report.program(true), strings.Join(got, "\n"))
			}
		})
	}
}

// TestReport_GenerateSKEL checks that the program leaves alone what has no effect on a replay.
func TestReport_GenerateSKEL(t *testing.T) {
	report := check(t, makeTrace(t, reportTrace()), Options{})
	program := report.GenerateSKEL("a.sktrace")
	for _, s := range report.Suggestions {
		if got, want := strings.Contains(program, s.Program), s.Rule.Severity != Info; got != want {
			t.Errorf("the program has the suggestion of %s: %t, want %t", s.Rule.Code, got, want)
		}
	}
	fixed := check(t, transform(t, makeTrace(t, reportTrace()), program), Options{})
	if fixed.Errors()+fixed.Warnings() != 0 || fixed.Infos() == 0 {
		t.Errorf("after the program, there is still\n%s", strings.Join(lines(fixed), "\n"))
	}
}

// TestRules_NothingElse checks that a suggestion does not change anything else.
func TestRules_NothingElse(t *testing.T) {
	data := makeTrace(t, ruleCases()["volumes of secrets"].trace)
	fixed, err := trace.Read(bytes.NewReader(transform(t, data, check(t, data, Options{}).program(true))))
	if err != nil {
		t.Fatal(err)
	}
	u, err := fixed.Events[0].Applied[1].Unstructured()
	if err != nil {
		t.Fatal(err)
	}
	tasks := u.Object["spec"].(map[string]any)["tasks"].([]any)
	got := tasks[1].(map[string]any)["template"].(map[string]any)["spec"]
	want := map[string]any{
		"volumes": []any{
			map[string]any{"name": "tmp", "emptyDir": map[string]any{}},
			map[string]any{"name": "all", "projected": map[string]any{"sources": []any{map[string]any{"secret": map[string]any{"name": "x", "optional": true}}}}},
		},
		"containers": []any{map[string]any{"name": "a", "volumeMounts": []any{
			map[string]any{"name": "tmp", "mountPath": "/b"}, map[string]any{"name": "all", "mountPath": "/c"},
		}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
}

func transform(t *testing.T, data []byte, source string) []byte {
	t.Helper()
	program, err := skel.Compile(source)
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	from, to := filepath.Join(t.TempDir(), "from.sktrace"), filepath.Join(t.TempDir(), "to.sktrace")
	if err := os.WriteFile(from, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := program.RunFile(t.Context(), from, to, skel.RunOptions{}); err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	fixed, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	return fixed
}

// TestRules_All checks that each rule has a test case, a unique code and name, and an explanation.
func TestRules_All(t *testing.T) {
	var found []string
	for _, tc := range ruleCases() {
		for _, line := range tc.want {
			found = append(found, line[:5])
		}
	}
	seen := map[string]bool{}
	for _, rule := range Rules() {
		if rule.Code != "W0101" && !slices.Contains(found, rule.Code) { // that one is in TestOrder
			t.Errorf("no case finds %s %s", rule.Code, rule.Name)
		}
		if seen[rule.Code] || seen[rule.Name] {
			t.Errorf("%s %s is there twice", rule.Code, rule.Name)
		}
		seen[rule.Code], seen[rule.Name] = true, true
		// The code of a rule stays when its severity becomes lower.
		if rule.Severity == Error && !strings.HasPrefix(rule.Code, "E") {
			t.Errorf("%s is of severity %s", rule.Code, rule.Severity)
		}
		if rule.Help == "" || rule.Title == "" || rule.suggest == nil {
			t.Errorf("%s lacks a text, or a suggestion", rule.Code)
		}
		if got, ok := Find(strings.ToUpper(rule.Name)); !ok || got.Code != rule.Code {
			t.Errorf("find %s: got %v, %v", rule.Name, got, ok)
		}
	}
}

// TestOrder moves an event back in its encoded form, because a Writer rejects events that are out
// of order.
func TestOrder(t *testing.T) {
	pod := manifest("v1 Pod", "p")
	data := makeTrace(t, events(at(0x11111111, pod), at(0x22222222, pod), at(0x33333333, pod)))
	data = bytes.Replace(data, []byte{0x22, 0x22, 0x22, 0x22}, []byte{0x11, 0x11, 0x11, 0x01}, 1)
	var seen []*Finding
	report := check(t, data, Options{OnFinding: func(f *Finding) { seen = append(seen, f) }})
	if diff := cmp.Diff([]string{"W0101   events[1] 1 x1"}, lines(report)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if len(seen) != 1 || seen[0] != report.Findings[0] {
		t.Errorf("reported %v", seen)
	}
	if got := lines(check(t, transform(t, data, report.GenerateSKEL("x")), Options{})); got != nil {
		t.Errorf("the transformed trace has %v", got)
	}
}

// TestRules_NodesSeverity checks that a pod that is too large is a problem only if nothing makes
// larger nodes.
func TestRules_NodesSeverity(t *testing.T) {
	data := makeTrace(t, "nodes: [{cpu: '2', memory: 4Gi}]\n"+events(at(1, replicas("web", 1, "3"))))
	shape, err := nodes.ParseShape("cpu=2,memory=4Gi")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		opts Options
		want Severity
	}{{Options{}, Info}, {Options{Shared: true}, Warning}, {Options{Node: &shape}, Warning}} {
		report := check(t, data, test.opts)
		if len(report.Findings) != 1 || report.Findings[0].Rule.Severity != test.want {
			t.Errorf("%+v: got %v, want one %s", test.opts, lines(report), test.want)
		}
	}
}
