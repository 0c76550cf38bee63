package bigtrace

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// config returns the tracer configuration for the objects of the trace.
func config() *trace.Config {
	return &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{
		{Group: "apps", Version: "v1", Kind: "Deployment"}: {TrackLifecycle: true},
		{Group: "batch", Version: "v1", Kind: "CronJob"}:   {TrackLifecycle: true},
		{Group: "batch", Version: "v1", Kind: "Job"}:       {TrackLifecycle: true},
		{Version: "v1", Kind: "Pod"}:                       {SkipOwned: true, TrackLifecycle: true},
		{Version: "v1", Kind: "ConfigMap"}:                 {},
		{Version: "v1", Kind: "Secret"}:                    {},
		{Version: "v1", Kind: "ServiceAccount"}:            {},
	}}
}

func namespace(n int) string { return fmt.Sprintf("team-%02d", n%namespaces) }

// sharedObjects returns the objects that the others in a namespace use.
func sharedObjects(ns int) []blueprint {
	secret := manifest("v1", "Secret", namespace(ns), "app-credentials")
	secret["type"] = "Opaque"
	secret["data"] = map[string]any{"password": "bm90IGEgcGFzc3dvcmQ=", "username": "YXBw"}
	settings := manifest("v1", "ConfigMap", namespace(ns), "defaults")
	settings["data"] = map[string]any{"LOG_LEVEL": "info", "REGION": "eu-north-1"}
	return []blueprint{
		{manifest: manifest("v1", "ServiceAccount", namespace(ns), "app")},
		{manifest: secret},
		{manifest: settings},
	}
}

// workload returns the n-th object that changes.
func workload(n, size int) blueprint {
	var b blueprint
	switch kind := n % 20; {
	case kind < 6:
		b = deployment(n)
	case kind < 10:
		b = job(n)
	case kind < 12:
		b = cronJob(n)
	case kind < 15:
		b = configMap(n)
	default:
		b = pod(n)
	}
	b.size = size
	return b
}

func manifest(apiVersion, kind, namespace, name string) map[string]any {
	return map[string]any{
		"apiVersion": apiVersion, "kind": kind,
		"metadata": map[string]any{
			"annotations": map[string]any{revisionKey: revisionMark},
			"labels":      map[string]any{"app.kubernetes.io/name": name, "team": namespace},
			"name":        name, "namespace": namespace,
		},
	}
}

func deployment(n int) blueprint {
	name := fmt.Sprintf("web-%05d", n)
	d := manifest("apps/v1", "Deployment", namespace(n), name)
	spec := podSpec(n, name, "Always")
	labels := map[string]any{"app.kubernetes.io/name": name}
	d["spec"] = map[string]any{
		"replicas": int64(3), "selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec},
	}
	d["status"] = map[string]any{"readyReplicas": int64(3), "replicas": int64(3)}
	return blueprint{manifest: d, podSpec: spec}
}

func job(n int) blueprint {
	name := fmt.Sprintf("report-%05d", n)
	j := manifest("batch/v1", "Job", namespace(n), name)
	spec := podSpec(n, name, "Never")
	j["spec"] = map[string]any{
		"backoffLimit": int64(4), "completions": int64(1), "parallelism": int64(1), "template": map[string]any{"spec": spec},
	}
	j["status"] = map[string]any{"active": int64(1)}
	b := blueprint{manifest: j, lifetime: brief, podSpec: spec}
	if n%2 == 0 { // the CronJob of the same twenty
		owner := fmt.Sprintf("nightly-%05d", n/20*20+10)
		ownerNamespace := namespace(n/20*20 + 10)
		metadata := j["metadata"].(map[string]any)
		metadata["namespace"] = ownerNamespace
		metadata["ownerReferences"] = []any{map[string]any{
			"apiVersion": "batch/v1", "controller": true, "kind": "CronJob", "name": owner, "uid": fmt.Sprintf("00000000-0000-4000-8000-%012d", n),
		}}
		b.owner = ownerOf(schema.GroupVersionKind{Group: "batch", Version: "v1", Kind: "CronJob"}, ownerNamespace, owner)
	}
	return b
}

func cronJob(n int) blueprint {
	name := fmt.Sprintf("nightly-%05d", n)
	c := manifest("batch/v1", "CronJob", namespace(n), name)
	spec := podSpec(n, name, "OnFailure")
	c["spec"] = map[string]any{
		"concurrencyPolicy": "Forbid", "schedule": fmt.Sprintf("%d %d * * *", n%60, n%24),
		"jobTemplate": map[string]any{"spec": map[string]any{"template": map[string]any{"spec": spec}}},
	}
	return blueprint{manifest: c, podSpec: spec}
}

func configMap(n int) blueprint {
	c := manifest("v1", "ConfigMap", namespace(n), fmt.Sprintf("settings-%05d", n))
	c["data"] = map[string]any{
		"revision": revisionMark, "LIMIT": fmt.Sprint(n % 1000),
		"app.yaml": "server:\n  listen: :8080\n  timeout: 30s\nfeatures: [search, cart, wishlist]\n",
	}
	return blueprint{manifest: c}
}

func pod(n int) blueprint {
	name := fmt.Sprintf("runner-%05d", n)
	p := manifest("v1", "Pod", namespace(n), name)
	spec := podSpec(n, name, "Never")
	p["spec"] = spec
	p["status"] = map[string]any{"phase": phasePending}
	return blueprint{manifest: p, lifetime: passing, podSpec: spec}
}

// missingEvery: one of so many pods refers to objects that do not exist.
const missingEvery = 40

// podSpec returns the spec of pods that use the shared objects of their namespace.
func podSpec(n int, name, restartPolicy string) map[string]any {
	credentials, account := "app-credentials", "app"
	switch n % missingEvery {
	case 3:
		credentials = "lost-credentials"
	case 7:
		account = "nobody"
	}
	return map[string]any{
		"containers": []any{map[string]any{
			"args": []any{"--listen=:8080", fmt.Sprintf("--shard=%d", n)},
			"env": []any{
				map[string]any{"name": "SERVICE", "value": name},
				map[string]any{"name": "PASSWORD", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"key": "password", "name": credentials}}},
			},
			"envFrom": []any{map[string]any{"configMapRef": map[string]any{"name": "defaults"}}},
			"image":   "registry.example.com/apps/" + name[:3] + ":" + releaseMark,
			"name":    "main",
			"ports":   []any{map[string]any{"containerPort": int64(8080), "name": "http"}},
			"resources": map[string]any{
				"requests": map[string]any{"cpu": fmt.Sprintf("%dm", 100+n%16*50), "memory": fmt.Sprintf("%dMi", 64<<(n%5))},
			},
			"volumeMounts": []any{map[string]any{"mountPath": "/etc/app", "name": "config"}},
		}},
		"restartPolicy":      restartPolicy,
		"serviceAccountName": account,
		"volumes":            []any{map[string]any{"configMap": map[string]any{"name": "defaults"}, "name": "config"}},
	}
}
