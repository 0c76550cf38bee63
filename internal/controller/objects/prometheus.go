package objects

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	simkubev1 "simkube.io/simkube/api/v1"
)

// The defaults of a simulation's metrics.
const (
	defaultMetricsNamespace = "monitoring"
	defaultMetricsAccount   = "prometheus-k8s"
	scrapeInterval          = "1s"
	namespaceNameLabel      = "kubernetes.io/metadata.name"
)

// PrometheusKind returns the kind of the Prometheus operator's servers.
func PrometheusKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "Prometheus"}
}

// MetricsNamespace returns the namespace of the simulation's Prometheus.
func MetricsNamespace(metrics *simkubev1.SimulationMetrics) string {
	return ptr.Deref(metrics.Namespace, defaultMetricsNamespace)
}

// Prometheus returns a server that scrapes what the simulation's metrics select, for as long as the
// simulation exists. It returns an error if a remoteWrite entry is not a JSON object. The
// simulation's metrics must not be nil.
func Prometheus(sim *simkubev1.Simulation, root *simkubev1.SimulationRoot) (*unstructured.Unstructured, error) {
	metrics := sim.Spec.Metrics
	spec := map[string]any{
		"shards":             int64(ptr.Deref(metrics.PrometheusShards, 1)),
		"serviceAccountName": ptr.Deref(metrics.ServiceAccount, defaultMetricsAccount),
		"scrapeInterval":     scrapeInterval,
		"externalLabels":     map[string]any{"simulation": sim.Name},

		"podMonitorSelector":              selectIn(LabelName, metrics.PodMonitorNames),
		"podMonitorNamespaceSelector":     selectIn(namespaceNameLabel, metrics.PodMonitorNamespaces),
		"serviceMonitorSelector":          selectIn(LabelName, metrics.ServiceMonitorNames),
		"serviceMonitorNamespaceSelector": selectIn(namespaceNameLabel, metrics.ServiceMonitorNamespaces),
	}
	if len(metrics.RemoteWriteConfigs) > 0 {
		var writes []any
		for i, config := range metrics.RemoteWriteConfigs {
			var write map[string]any
			if err := json.Unmarshal(config.Raw, &write); err != nil {
				return nil, fmt.Errorf("metrics.remoteWriteConfigs[%d]: %w", i, err)
			}
			writes = append(writes, write)
		}
		spec["remoteWrite"] = writes
	}
	prometheus := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	prometheus.SetGroupVersionKind(PrometheusKind())
	prometheus.SetName(simkubev1.PrometheusName(sim.Name))
	prometheus.SetNamespace(MetricsNamespace(metrics))
	prometheus.SetLabels(map[string]string{
		LabelName: "prometheus", LabelInstance: simkubev1.LabelValue(sim.Name), LabelManagedBy: ControllerName,
	})
	prometheus.SetOwnerReferences([]metav1.OwnerReference{Owner(root)})
	return prometheus, nil
}

// selectIn returns a selector for values of a label. Without values it selects everything.
func selectIn(label string, values []string) map[string]any {
	if len(values) == 0 {
		return map[string]any{}
	}
	list := make([]any, 0, len(values))
	for _, value := range values {
		list = append(list, value)
	}
	return map[string]any{"matchExpressions": []any{
		map[string]any{"key": label, "operator": "In", "values": list},
	}}
}
