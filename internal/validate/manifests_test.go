package validate

import (
	"fmt"
	"strings"
)

// deployment returns a Deployment whose pods have this spec.
func deployment(name, podSpec string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: %s}, spec: {template: {spec: %s}}}`, name, podSpec)
}

// replicas returns a Deployment with pods that request cores.
func replicas(name string, n int, cpu string) string {
	pod := fmt.Sprintf(`{containers: [{name: a, resources: {requests: {cpu: %s}}}]}`, cpu)
	return strings.Replace(deployment(name, pod), "spec: {", fmt.Sprintf("spec: {replicas: %d, ", n), 1)
}

// selected returns a Deployment with a selector.
func selected(name, app string) string {
	return strings.Replace(deployment(name, "{}"), "spec: {", fmt.Sprintf("spec: {selector: {matchLabels: {app: %s}}, ", app), 1)
}

// job returns a Job whose pods request no cores.
func job(name string, parallelism, completions int) string {
	return fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {namespace: shop, name: %s}, spec: {parallelism: %d, completions: %d,
  template: {spec: {containers: [{name: a, image: busybox}]}}}}`, name, parallelism, completions)
}

func class(name, disk string) string {
	return fmt.Sprintf(`{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: %s}, provisioner: x, parameters: {type: %s}}`, name, disk)
}

func quota(name, hard string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: ResourceQuota, metadata: {namespace: shop, name: %s}, spec: {hard: %s}}`, name, hard)
}

// custom returns a custom resource that refers to a namespace.
func custom(namespace string) string {
	return fmt.Sprintf(`{apiVersion: example.com/v1, kind: App, metadata: {namespace: shop, name: %[1]s},
  spec: {name: shop, destination: {namespace: %[1]s}, watchNamespaces: [a, %[1]s]}}`, namespace)
}

func manifest(gvk, name string) string {
	apiVersion, kind, _ := strings.Cut(gvk, " ")
	return fmt.Sprintf(`{apiVersion: %s, kind: %s, metadata: {namespace: shop, name: %s}}`, apiVersion, kind, name)
}

// at returns an event.
func at(ts int, applied ...string) string {
	return fmt.Sprintf("- {ts: %d, applied: [%s]}\n", ts, strings.Join(applied, ", "))
}

func gone(ts int, deleted ...string) string {
	return fmt.Sprintf("- {ts: %d, deleted: [%s]}\n", ts, strings.Join(deleted, ", "))
}

func events(list ...string) string { return "events:\n" + strings.Join(list, "") }

const crd = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: jobs.batch.volcano.sh},
  spec: {group: batch.volcano.sh, names: {kind: Job}, versions: [{name: v1alpha1, served: true}, {name: v1, served: false}]}}`

func volcano(podSpec string) string {
	return `{apiVersion: batch.volcano.sh/v1alpha1, kind: Job, metadata: {namespace: shop, name: train},
  spec: {tasks: [{name: a, template: {spec: {containers: []}}}, {name: b, template: {spec: ` + podSpec + `}}]}}`
}
