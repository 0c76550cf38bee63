package v1

import "k8s.io/apimachinery/pkg/runtime"

// SimulationMetrics requests a Prometheus of the Prometheus operator that runs as long as the
// simulation and forwards the metrics that it scrapes.
type SimulationMetrics struct {
	// Namespace is the namespace in which the Prometheus is created.
	// +optional
	// +nullable
	Namespace *string `json:"namespace,omitempty"`
	// ServiceAccount is the service account of the Prometheus.
	// +optional
	// +nullable
	ServiceAccount *string `json:"serviceAccount,omitempty"`
	// PrometheusShards is the number of instances that share the targets.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=1
	PrometheusShards *int32 `json:"prometheusShards,omitempty"`
	// PodMonitorNames selects PodMonitors by name. Default: all.
	// +optional
	// +nullable
	PodMonitorNames []string `json:"podMonitorNames,omitempty"`
	// PodMonitorNamespaces selects PodMonitors by namespace.
	// +optional
	// +nullable
	PodMonitorNamespaces []string `json:"podMonitorNamespaces,omitempty"`
	// ServiceMonitorNames selects ServiceMonitors by name. Default: all.
	// +optional
	// +nullable
	ServiceMonitorNames []string `json:"serviceMonitorNames,omitempty"`
	// ServiceMonitorNamespaces selects ServiceMonitors by namespace.
	// +optional
	// +nullable
	ServiceMonitorNamespaces []string `json:"serviceMonitorNamespaces,omitempty"`
	// RemoteWriteConfigs are the endpoints that the metrics are sent to.
	// +optional
	// +nullable
	RemoteWriteConfigs []RemoteWriteConfig `json:"remoteWriteConfigs,omitempty"`
}

// RemoteWriteConfig is a remoteWrite entry of the Prometheus operator's API. It is kept as it is
// written: its fields are defined by that operator, not by SimKube.
//
// +kubebuilder:pruning:PreserveUnknownFields
type RemoteWriteConfig struct {
	runtime.RawExtension `json:"-"`
}
