package v1

import "k8s.io/apimachinery/pkg/runtime"

// SimulationMetrics asks for a Prometheus of the Prometheus operator that lives as
// long as the simulation and forwards what it scrapes.
type SimulationMetrics struct {
	// Namespace is where the Prometheus is made.
	// +optional
	Namespace *string `json:"namespace,omitempty"`
	// ServiceAccount is the identity it scrapes with.
	// +optional
	ServiceAccount *string `json:"serviceAccount,omitempty"`
	// PrometheusShards is how many instances share the targets.
	// +optional
	// +kubebuilder:validation:Minimum=1
	PrometheusShards *int32 `json:"prometheusShards,omitempty"`
	// PodMonitorNames picks PodMonitors by name. Default: all.
	// +optional
	PodMonitorNames []string `json:"podMonitorNames,omitempty"`
	// PodMonitorNamespaces picks PodMonitors by namespace.
	// +optional
	PodMonitorNamespaces []string `json:"podMonitorNamespaces,omitempty"`
	// ServiceMonitorNames picks ServiceMonitors by name. Default: all.
	// +optional
	ServiceMonitorNames []string `json:"serviceMonitorNames,omitempty"`
	// ServiceMonitorNamespaces picks ServiceMonitors by namespace.
	// +optional
	ServiceMonitorNamespaces []string `json:"serviceMonitorNamespaces,omitempty"`
	// RemoteWriteConfigs say where to send the metrics.
	// +optional
	RemoteWriteConfigs []RemoteWriteConfig `json:"remoteWriteConfigs,omitempty"`
}

// RemoteWriteConfig is a remoteWrite entry of the Prometheus operator's API, kept as
// it was written: its fields belong to that operator, not to SimKube.
//
// +kubebuilder:pruning:PreserveUnknownFields
type RemoteWriteConfig struct {
	runtime.RawExtension `json:"-"`
}
