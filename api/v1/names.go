package v1

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// FieldManager is the name under which SimKube owns the fields it applies.
const FieldManager = "simkube"

// DefaultVirtualNsPrefix begins the names of simulated namespaces unless told otherwise.
const DefaultVirtualNsPrefix = "virtual"

// Labels of simulated objects and namespaces.
const (
	// LabelSimulation holds the simulation's name, cut by LabelValue.
	LabelSimulation = "simkube.io/simulation"
	// LabelVirtual is "true" on everything simulated.
	LabelVirtual = "simkube.io/virtual"
)

// Annotations SimKube keeps on simulated objects to recognise them.
const (
	// AnnotationOriginalNamespace, on pod templates and pods, is the recorded namespace.
	AnnotationOriginalNamespace = "static.simkube.io/original-namespace"
	// AnnotationOriginalOwner, on the clone of an interrupted bare pod, names the
	// pod it stands in for.
	AnnotationOriginalOwner = "static.simkube.io/original-owner"
	// AnnotationPodSpecStableHash is the hash by which the pod's lifecycle is looked up.
	AnnotationPodSpecStableHash = "static.simkube.io/pod-spec-stable-hash"
	// AnnotationPodSequenceNumber is the pod's number among its owner's pods of the
	// same hash, from 0.
	AnnotationPodSequenceNumber = "static.simkube.io/pod-sequence-number"
	// AnnotationSkipLocalVolumeMount, "true" on a Simulation, keeps the driver from
	// mounting a local trace.
	AnnotationSkipLocalVolumeMount = "controller.simkube.io/skip-local-volume-mount"
)

// What the KWOK stages read on a simulated pod.
const (
	// LabelStageComplete is "true" on pods that end by themselves.
	LabelStageComplete = "simkube.io/kwok-stage-complete"
	// AnnotationStageCompleteTime is when such a pod ends, as an RFC 3339 time.
	AnnotationStageCompleteTime = "simkube.io/kwok-stage-complete-time"
	// AnnotationStageCompleteAfter is how long such a pod runs, as a Go duration
	// counted from the moment it is running. It goes before
	// AnnotationStageCompleteTime: a pod that waited still runs its recorded time.
	AnnotationStageCompleteAfter = "simkube.io/kwok-stage-complete-after"
	// AnnotationStageCreateDelay is how long a scheduled pod's containers take to be
	// created, as a Go duration ("250ms"). Default: no time.
	AnnotationStageCreateDelay = "simkube.io/kwok-stage-create-delay"
	// AnnotationStageCreateDelayJitter is the UPPER BOUND of that delay, which is
	// then drawn evenly from between the two. (A smaller value would cut the delay.)
	AnnotationStageCreateDelayJitter = "simkube.io/kwok-stage-create-delay-jitter"
	// AnnotationStageReadyDelay is how long created containers take to be ready.
	AnnotationStageReadyDelay = "simkube.io/kwok-stage-ready-delay"
	// AnnotationStageReadyDelayJitter is the upper bound of that delay.
	AnnotationStageReadyDelayJitter = "simkube.io/kwok-stage-ready-delay-jitter"
	// ConditionCompletes is the pod condition whose message is the exact moment at
	// which a running pod will end; Kubernetes' own times are cut to seconds.
	ConditionCompletes = "simkube.io/Completes"
)

// How simulated pods are kept on simulated nodes, and all others away from them.
const (
	// LabelNodeType is NodeTypeVirtual on simulated nodes; simulated pods select it.
	LabelNodeType = "type"
	// NodeTypeVirtual is the value of LabelNodeType.
	NodeTypeVirtual = "virtual"
	// TaintKwokProvider is the NoSchedule taint of simulated nodes, value "true".
	TaintKwokProvider = "kwok-provider"
	// AnnotationKwokNode is "fake" on the nodes KWOK takes care of.
	AnnotationKwokNode = "kwok.x-k8s.io/node"
)

// Names of what a simulation makes in a real cluster.
const (
	// DriverCertSecret is the Secret with the webhook's certificate.
	DriverCertSecret = "sk-driver-cert"
	// LeaseName is the lease by which simulations take turns.
	LeaseName = "sk-lease"
)

const (
	virtualValue = "true"
	cutMark      = "XXXX"
)

// MetarootName is the SimulationRoot that owns a simulation's own machinery.
func MetarootName(simulation string) string { return "sk-" + simulation + "-metaroot" }

// DriverName is the Job that replays the trace.
func DriverName(simulation string) string { return "sk-" + simulation + "-driver" }

// DriverCheckpointName is the ConfigMap in which a driver keeps how far it is, for the next one to go on there.
func DriverCheckpointName(simulation string) string { return DriverName(simulation) + "-checkpoint" }

// DriverServiceName is the Service before the driver's webhook.
func DriverServiceName(simulation string) string { return DriverName(simulation) + "-svc" }

// PrometheusName is the simulation's Prometheus.
func PrometheusName(simulation string) string { return "sk-" + simulation + "-prom" }

// MutatingWebhookName is the webhook configuration for simulated pods.
func MutatingWebhookName(simulation string) string { return "sk-" + simulation + "-mutatepods" }

// DriverRootName is the SimulationRoot that owns what one driver pod replays.
func DriverRootName(driverPod string) string { return driverPod + "-root" }

// VirtualNamespace is where the objects of a recorded namespace are simulated.
func VirtualNamespace(prefix, original string) string { return prefix + "-" + original }

// VirtualName is the name in a shared cluster of a recorded cluster-scoped object other than a
// namespace.
func VirtualName(prefix, original string) string { return prefix + "-" + original }

// LabelValue cuts a name to what a label value may hold: longer than 63 characters,
// it becomes its first 59 and XXXX.
func LabelValue(name string) string {
	if len(name) <= validation.LabelValueMaxLength {
		return name
	}
	cut := validation.LabelValueMaxLength - len(cutMark)
	return strings.ToValidUTF8(name[:cut], "") + cutMark
}

// SimulatedLabels returns the labels of everything that belongs to a simulation, in a
// map of the caller's own.
func SimulatedLabels(simulation string) map[string]string {
	return map[string]string{
		LabelSimulation: LabelValue(simulation),
		LabelVirtual:    virtualValue,
	}
}
