package v1

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// FieldManager is the name under which SimKube owns the fields it applies.
const FieldManager = "simkube"

// DefaultVirtualNsPrefix is the default prefix of the names of simulated namespaces.
const DefaultVirtualNsPrefix = "virtual"

// Labels of simulated objects and namespaces.
const (
	// LabelSimulation is the simulation's name, truncated by LabelValue.
	LabelSimulation = "simkube.io/simulation"
	// LabelVirtual is "true" on all simulated objects.
	LabelVirtual = "simkube.io/virtual"
	// LabelStandIn is "true" on pods that were made in place of a custom workload's controller.
	LabelStandIn = "simkube.io/stand-in"
)

// Annotations by which SimKube recognizes simulated objects.
const (
	// AnnotationOriginalNamespace, on pod templates and pods, is the recorded namespace. On a
	// namespace with a shortened name, it is the recorded name.
	AnnotationOriginalNamespace = "static.simkube.io/original-namespace"
	// AnnotationOriginalOwner, on the clone of an interrupted bare pod, is the name of the original
	// pod.
	AnnotationOriginalOwner = "static.simkube.io/original-owner"
	// AnnotationPodSpecStableHash is the hash that is used to look up the pod's lifecycle.
	AnnotationPodSpecStableHash = "static.simkube.io/pod-spec-stable-hash"
	// AnnotationPodSequenceNumber is the pod's number among its owner's pods of the
	// same hash, from 0.
	AnnotationPodSequenceNumber = "static.simkube.io/pod-sequence-number"
	// AnnotationStandInTemplate is the JSON pointer to the template of a pod that was made in place of
	// a custom workload's controller.
	AnnotationStandInTemplate = "static.simkube.io/stand-in-template"
	// AnnotationSkipLocalVolumeMount, if "true" on a Simulation, prevents the driver from mounting a
	// local trace.
	AnnotationSkipLocalVolumeMount = "controller.simkube.io/skip-local-volume-mount"
)

// The labels, annotations and conditions that the KWOK stages read on a simulated pod.
const (
	// LabelStageComplete is "true" on pods that complete by themselves.
	LabelStageComplete = "simkube.io/kwok-stage-complete"
	// LabelStageInterrupt is "true" on pods that are deleted at the time at which they would complete
	// otherwise, and that their controller replaces.
	LabelStageInterrupt = "simkube.io/kwok-stage-interrupt"
	// AnnotationStageCompleteTime is when such a pod completes, as an RFC 3339 time.
	AnnotationStageCompleteTime = "simkube.io/kwok-stage-complete-time"
	// AnnotationStageCompleteAfter is how long such a pod runs, as a Go duration that starts when the
	// pod is running. It takes precedence over AnnotationStageCompleteTime: a pod that had to wait
	// still runs as long as it was recorded.
	AnnotationStageCompleteAfter = "simkube.io/kwok-stage-complete-after"
	// AnnotationStageCreateDelay is how long a scheduled pod's containers take to be
	// created, as a Go duration ("250ms"). Default: no time.
	AnnotationStageCreateDelay = "simkube.io/kwok-stage-create-delay"
	// AnnotationStageCreateDelayJitter is the UPPER BOUND of that delay. The delay is drawn uniformly
	// between the two values. (A smaller value would shorten the delay.)
	AnnotationStageCreateDelayJitter = "simkube.io/kwok-stage-create-delay-jitter"
	// AnnotationStageReadyDelay is how long created containers take to be ready.
	AnnotationStageReadyDelay = "simkube.io/kwok-stage-ready-delay"
	// AnnotationStageReadyDelayJitter is the upper bound of that delay.
	AnnotationStageReadyDelayJitter = "simkube.io/kwok-stage-ready-delay-jitter"
	// ConditionCompletes is the pod condition whose message is the exact time at which a running pod
	// completes. Kubernetes truncates its own times to seconds.
	ConditionCompletes = "simkube.io/Completes"
)

// Labels and taints that place simulated pods on simulated nodes and keep all other pods away from
// them.
const (
	// LabelNodeType is NodeTypeVirtual on simulated nodes; simulated pods select it.
	LabelNodeType = "type"
	// NodeTypeVirtual is the value of LabelNodeType.
	NodeTypeVirtual = "virtual"
	// TaintKwokProvider is the NoSchedule taint of simulated nodes, value "true".
	TaintKwokProvider = "kwok-provider"
	// TaintSpecialNode is the PreferNoSchedule taint, value "true", of nodes that are made for pods
	// with needs of their own.
	TaintSpecialNode = "simkube.io/special"
	// AnnotationKwokNode is "fake" on the nodes that KWOK manages.
	AnnotationKwokNode = "kwok.x-k8s.io/node"
	// AnnotationPricePerHour is the price of a simulated node in US dollars per hour, a decimal
	// number.
	AnnotationPricePerHour = "simkube.io/price-per-hour"
	// AnnotationLaunched is when the instance of a simulated node was launched, as an RFC 3339 time.
	// It is paid from then on. Default: when the node was created.
	AnnotationLaunched = "simkube.io/launched"
)

// Names of the objects that a simulation creates in a real cluster.
const (
	// DriverCertSecret is the Secret with the webhook's certificate.
	DriverCertSecret = "sk-driver-cert"
	// LeaseName is the lease that allows one simulation at a time.
	LeaseName = "sk-lease"
)

const (
	virtualValue = "true"
	cutMark      = "XXXX"
)

// MetarootName returns the name of the SimulationRoot that owns the objects that run a simulation.
func MetarootName(simulation string) string { return "sk-" + simulation + "-metaroot" }

// DriverName returns the name of the Job that replays the trace.
func DriverName(simulation string) string { return "sk-" + simulation + "-driver" }

// DriverCheckpointName returns the name of the ConfigMap in which a driver stores its progress, so
// that the next driver can continue.
func DriverCheckpointName(simulation string) string { return DriverName(simulation) + "-checkpoint" }

// DriverServiceName returns the name of the Service of the driver's webhook.
func DriverServiceName(simulation string) string { return DriverName(simulation) + "-svc" }

// PrometheusName returns the name of the simulation's Prometheus.
func PrometheusName(simulation string) string { return "sk-" + simulation + "-prom" }

// MutatingWebhookName returns the name of the webhook configuration for simulated pods.
func MutatingWebhookName(simulation string) string { return "sk-" + simulation + "-mutatepods" }

// DriverRootName returns the name of the SimulationRoot that owns the objects that one driver pod
// replays.
func DriverRootName(driverPod string) string { return driverPod + "-root" }

// VirtualNamespace returns the namespace in which the objects of a recorded namespace are
// simulated. A name that would be too long is shortened and ends in a hash of the recorded name.
// The namespace then has the recorded name in AnnotationOriginalNamespace.
func VirtualNamespace(prefix, original string) string {
	const most, hashed = validation.DNS1123LabelMaxLength, 10
	name := prefix + "-" + original
	cut := most - hashed - 1
	if len(name) <= most || len(prefix) >= cut-1 {
		return name
	}
	sum := sha256.Sum256([]byte(original))
	return strings.TrimRight(name[:cut], "-") + "-" + hex.EncodeToString(sum[:])[:hashed]
}

// VirtualName returns the name in a shared cluster of a recorded cluster-scoped object other than a
// namespace.
func VirtualName(prefix, original string) string { return prefix + "-" + original }

// LabelValue truncates a name to a valid length of a label value: if the name is longer than 63
// characters, the result is its first 59 characters and XXXX.
func LabelValue(name string) string {
	if len(name) <= validation.LabelValueMaxLength {
		return name
	}
	cut := validation.LabelValueMaxLength - len(cutMark)
	return strings.ToValidUTF8(name[:cut], "") + cutMark
}

// SimulatedLabels returns a new map with the labels of all objects that belong to a simulation.
func SimulatedLabels(simulation string) map[string]string {
	return map[string]string{
		LabelSimulation: LabelValue(simulation),
		LabelVirtual:    virtualValue,
	}
}
