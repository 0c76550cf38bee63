package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Simulation requests the replay of a trace in the cluster in which it is created.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=sim;sims
// +kubebuilder:printcolumn:name="Start Time",type=string,format=date-time,JSONPath=`.status.startTime`
// +kubebuilder:printcolumn:name="End Time",type=string,format=date-time,JSONPath=`.status.endTime`
// +kubebuilder:printcolumn:name="Speed Factor",type=number,JSONPath=`.spec.speed`
// +kubebuilder:printcolumn:name="Completed",type=integer,JSONPath=`.status.completedRuns`
// +kubebuilder:printcolumn:name="Total",type=integer,JSONPath=`.spec.repetitions`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 49 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",message="the name of a Simulation must be a DNS label of at most 49 characters: names of Services and Pods are made of it"
type Simulation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what to replay and how.
	Spec SimulationSpec `json:"spec"`
	// Status is the progress of the simulation.
	// +optional
	Status *SimulationStatus `json:"status,omitempty"`
}

// SimulationList is a list of Simulations.
//
// +kubebuilder:object:root=true
type SimulationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Simulation `json:"items"`
}

// SimulationSpec is what to replay and how. Only pausedTime may change: for anything else, create
// another Simulation.
//
// +kubebuilder:validation:XValidation:rule="self.driver == oldSelf.driver",message="driver cannot be changed; create another Simulation"
// +kubebuilder:validation:XValidation:rule="has(self.hooks) == has(oldSelf.hooks) && (!has(self.hooks) || self.hooks == oldSelf.hooks)",message="hooks cannot be changed; create another Simulation"
// +kubebuilder:validation:XValidation:rule="has(self.duration) == has(oldSelf.duration) && (!has(self.duration) || self.duration == oldSelf.duration)",message="duration cannot be changed; create another Simulation"
// +kubebuilder:validation:XValidation:rule="has(self.repetitions) == has(oldSelf.repetitions) && (!has(self.repetitions) || self.repetitions == oldSelf.repetitions)",message="repetitions cannot be changed; create another Simulation"
// +kubebuilder:validation:XValidation:rule="has(self.speed) == has(oldSelf.speed) && (!has(self.speed) || self.speed == oldSelf.speed)",message="speed cannot be changed; create another Simulation"
// +kubebuilder:validation:XValidation:rule="has(self.results) == has(oldSelf.results) && (!has(self.results) || self.results == oldSelf.results)",message="results cannot be changed; create another Simulation"
type SimulationSpec struct {
	// Driver is the program that replays the trace.
	Driver SimulationDriver `json:"driver"`

	// Duration is the length of the replay in trace time ("90s", "+5m", "1h30m", "2d"). If it is
	// longer than the trace, the simulated cluster runs until then. Default: the whole trace.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[+]?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$') && self.matches('[0-9]')",message="duration must be whole numbers of d, h, m, s and ms, largest first: 90s, 5m, +5m, 1h30m, 2d, 250ms"
	Duration *string `json:"duration,omitempty"`

	// Repetitions is the number of times that the trace is replayed, one after another. Default: 1.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=1
	Repetitions *int32 `json:"repetitions,omitempty"`

	// Speed is the number of seconds of trace time per second of real time. Default: 1.
	// +optional
	// +nullable
	// +kubebuilder:validation:XValidation:rule="self > 0.0",message="speed must be above 0"
	Speed *float64 `json:"speed,omitempty"`

	// PausedTime is when the simulation was paused. Absent: it is not paused.
	// +optional
	// +nullable
	PausedTime *metav1.Time `json:"pausedTime,omitempty"`

	// RescheduleInterruptedBarePods starts a clone of a pod without an owner if anything other than
	// the trace deletes it. Default: false.
	// +optional
	// +nullable
	RescheduleInterruptedBarePods *bool `json:"rescheduleInterruptedBarePods,omitempty"`

	// LifecycleParams delay simulated pods. Default: no delay.
	// +optional
	// +nullable
	LifecycleParams *LifecycleParams `json:"lifecycleParams,omitempty"`

	// Metrics configures where metrics are sent. Default: no metrics are collected.
	// +optional
	// +nullable
	Metrics *SimulationMetrics `json:"metrics,omitempty"`

	// Hooks are commands run around the simulation.
	// +optional
	// +nullable
	Hooks *SimulationHooks `json:"hooks,omitempty"`

	// Results configures where the results of the simulation are stored. Default: only the summary in
	// the status.
	// +optional
	// +nullable
	Results *SimulationResults `json:"results,omitempty"`
}

// SimulationDriver configures the image that replays the trace, the trace, and where the driver
// runs.
type SimulationDriver struct {
	// Image is the container image of the driver.
	// +kubebuilder:validation:MinLength=1
	Image string `json:"image"`

	// Namespace is the (real) namespace in which the driver runs.
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace"`

	// Port is where the driver serves its admission webhook.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`

	// TracePath is the URL of the trace (file:///data/trace, s3://..., gs://..., azure://...,
	// https://...) or an absolute path. A local path is a path on the node; it is mounted at the same
	// path in the driver.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') || self.matches('^(file|s3|gs|azure|az|azblob|https?)://.+')",message="tracePath must be an absolute path or a URL that begins with file://, s3://, gs://, azure://, az://, azblob://, http:// or https://"
	TracePath string `json:"tracePath"`

	// Args are additional arguments of the driver.
	// +optional
	// +nullable
	Args []string `json:"args,omitempty"`

	// Secrets are the names of Secrets in Namespace whose keys become environment variables of the
	// driver, for example credentials of the trace's storage.
	// +optional
	// +nullable
	Secrets []string `json:"secrets,omitempty"`

	// VirtualNsPrefix is the prefix of the names of simulated namespaces.
	// +optional
	// +kubebuilder:default=virtual
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	VirtualNsPrefix string `json:"virtualNsPrefix,omitempty"`

	// CertManagerIssuer is the cert-manager issuer of the webhook's certificate. Default: the
	// controller creates the certificate.
	// +optional
	// +nullable
	CertManagerIssuer *string `json:"certManagerIssuer,omitempty"`
}

// LifecycleParams delay simulated pods, as pulling images and starting programs do in a real
// cluster. All values are in milliseconds. A jitter is the upper bound of its delay: the delay is
// drawn uniformly between the two. A jitter that is not greater than the delay has no effect.
// Default: 0 each.
type LifecycleParams struct {
	// ImagePullDelay is the time from the scheduling of a pod to the creation of its containers, in
	// milliseconds.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=0
	ImagePullDelay int64 `json:"imagePullDelay,omitempty"`
	// ImagePullJitter is the upper bound of that delay, in milliseconds.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=0
	ImagePullJitter int64 `json:"imagePullJitter,omitempty"`
	// PodStartupDelay is the time from the creation of a pod's containers until they are ready, in
	// milliseconds.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=0
	PodStartupDelay int64 `json:"podStartupDelay,omitempty"`
	// PodStartupJitter is the upper bound of that delay, in milliseconds.
	// +optional
	// +nullable
	// +kubebuilder:validation:Minimum=0
	PodStartupJitter int64 `json:"podStartupJitter,omitempty"`
}

// SimulationStatus is the progress of a simulation.
type SimulationStatus struct {
	// ObservedGeneration is the generation of the spec that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// State is the current state of the simulation.
	// +optional
	State SimulationState `json:"state,omitempty"`

	// StartTime is when the first run began.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// EndTime is when the last run ended.
	// +optional
	EndTime *metav1.Time `json:"endTime,omitempty"`

	// CompletedRuns is the number of completed repetitions.
	// +optional
	CompletedRuns int32 `json:"completedRuns,omitempty"`

	// Conditions describe the state in the form that Kubernetes tools expect: Ready while the trace is
	// replayed, Complete or Failed at the end.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Hooks are the preStart and postStop hooks that have started. A hook that is listed is not run
	// again.
	// +optional
	// +listType=atomic
	Hooks []HookRecord `json:"hooks,omitempty"`

	// Driver is the status that the driver reports. Only the driver writes it.
	// +optional
	Driver *DriverStatus `json:"driver,omitempty"`
}

// The types of a simulation's conditions.
const (
	// ConditionReady is true while the driver replays the trace.
	ConditionReady = "Ready"
	// ConditionComplete is true once all repetitions are done and cleaned up.
	ConditionComplete = "Complete"
	// ConditionFailed is true once the simulation has failed; its reason and message say why it failed
	// and what to do.
	ConditionFailed = "Failed"
)

// SimulationState is the state of a simulation.
//
// +kubebuilder:validation:Enum=Blocked;Initializing;Running;Paused;Retrying;Finished;Failed
type SimulationState string

// The states of a simulation. Finished and Failed are final.
const (
	SimulationBlocked      SimulationState = "Blocked"      // waits for another simulation
	SimulationInitializing SimulationState = "Initializing" // its driver is being created
	SimulationRunning      SimulationState = "Running"
	SimulationPaused       SimulationState = "Paused"
	// the driver ended early and is being restarted
	SimulationRetrying SimulationState = "Retrying"
	SimulationFinished SimulationState = "Finished"
	SimulationFailed   SimulationState = "Failed"
)
