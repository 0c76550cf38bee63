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

// What a Prometheus is made with unless the simulation says otherwise.
const (
	defaultMetricsNamespace = "monitoring"
	defaultMetricsAccount   = "prometheus-k8s"
	scrapeInterval          = "1s"
	namespaceNameLabel      = "kubernetes.io/metadata.name"
)

// PrometheusKind is the Prometheus operator's.
func PrometheusKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "Prometheus"}
}

// MetricsNamespace is where the simulation's Prometheus is.
func MetricsNamespace(metrics *simkubev1.SimulationMetrics) string {
	return ptr.Deref(metrics.Namespace, defaultMetricsNamespace)
}

// Prometheus scrapes what the simulation's metrics say, as long as the simulation lives. It is an error if a
// remoteWrite entry is not a JSON object. The simulation must have metrics.
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

// selectIn selects everything if there are no values.
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
