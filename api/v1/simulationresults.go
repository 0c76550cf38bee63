package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SimulationResults configures where the driver stores the results of each repetition: in folders
// run-01, run-02 and so on, beside repetitions.json and index.html, which compare the repetitions.
//
// +kubebuilder:validation:XValidation:rule="[has(self.url), has(self.configMap), has(self.persistentVolumeClaim)].filter(x, x).size() == 1",message="results needs exactly one of url, configMap and persistentVolumeClaim"
type SimulationResults struct {
	// URL is a folder in a storage (s3://bucket/folder, gs://..., azure://...). The driver's secrets
	// or its workload identity must grant access to it.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="self.matches('^(s3|gs|azure|az|azblob)://[^/]+')",message="results.url must be a folder in a bucket: s3://, gs://, azure://, az:// or azblob://"
	URL string `json:"url,omitempty"`
	// ConfigMap is the name of a ConfigMap in the driver's namespace to which the summaries are
	// written. It is created if it does not exist, and stays when the simulation is deleted.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:MinLength=1
	ConfigMap string `json:"configMap,omitempty"`
	// PersistentVolumeClaim is the name of a claim in the driver's namespace. The results are in the
	// folder with the simulation's name.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:MinLength=1
	PersistentVolumeClaim string `json:"persistentVolumeClaim,omitempty"`
}

// DriverPhase is the phase of a driver.
//
// +kubebuilder:validation:Enum=Preparing;Replaying;Settling;Reporting;Cleaning;Finished;Failed
type DriverPhase string

// The phases of a driver. Finished and Failed are final.
const (
	DriverPreparing DriverPhase = "Preparing"
	DriverReplaying DriverPhase = "Replaying"
	DriverSettling  DriverPhase = "Settling"
	DriverReporting DriverPhase = "Reporting"
	DriverCleaning  DriverPhase = "Cleaning"
	DriverFinished  DriverPhase = "Finished"
	DriverFailed    DriverPhase = "Failed"
)

// DriverStatus is the progress of the driver.
type DriverStatus struct {
	// Pod is the name of the driver's pod.
	// +optional
	Pod string `json:"pod,omitempty"`
	// Phase is the current phase of the driver.
	// +optional
	Phase DriverPhase `json:"phase,omitempty"`
	// Run is the current repetition, from 1.
	// +optional
	Run int32 `json:"run,omitempty"`
	// Paused is true while the replay is paused.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// TraceStart is the start of the replay, in trace time.
	// +optional
	TraceStart *metav1.Time `json:"traceStart,omitempty"`
	// TraceTime is the current time of the replay, in trace time.
	// +optional
	TraceTime *metav1.Time `json:"traceTime,omitempty"`
	// TraceEnd is the end of the replay, in trace time.
	// +optional
	TraceEnd *metav1.Time `json:"traceEnd,omitempty"`
	// Events is the number of events replayed in this run.
	// +optional
	Events int32 `json:"events,omitempty"`
	// EventsTotal is the number of events of a run.
	// +optional
	EventsTotal int32 `json:"eventsTotal,omitempty"`
	// Problems is the number of objects that could not be applied or deleted.
	// +optional
	Problems int32 `json:"problems,omitempty"`
	// Restarts is the number of times that a restarted driver resumed the replay.
	// +optional
	Restarts int32 `json:"restarts,omitempty"`
	// Reason is a one-word reason of the failure.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message says why the driver failed, or why the previous driver ended early.
	// +optional
	Message string `json:"message,omitempty"`
	// Hooks are the preRun and postRun hooks that have started.
	// +optional
	// +listType=atomic
	Hooks []HookRecord `json:"hooks,omitempty"`
	// Summaries are the results of each repetition.
	// +optional
	// +listType=atomic
	Summaries []RunSummary `json:"summaries,omitempty"`
}

// RunSummary is a summary of the results of one repetition.
type RunSummary struct {
	// Run is the repetition, from 1.
	Run int32 `json:"run"`
	// Events is the number of events replayed.
	// +optional
	Events int32 `json:"events,omitempty"`
	// Applied is the number of times that an object was applied.
	// +optional
	Applied int32 `json:"applied,omitempty"`
	// Deleted is the number of times that an object was deleted.
	// +optional
	Deleted int32 `json:"deleted,omitempty"`
	// Problems is the number of times that an object could not be applied or deleted.
	// +optional
	Problems int32 `json:"problems,omitempty"`
	// Deviations is the number of differences from the recording, including the problems. It is 0 if
	// the trace was replayed as recorded, and not set if the driver's version does not count them.
	// +optional
	Deviations *int32 `json:"deviations,omitempty"`
	// Pods is the number of simulated pods. After a restart of the driver, pods that no longer existed
	// at that time are not counted.
	// +optional
	Pods int32 `json:"pods,omitempty"`
	// Scheduled is the number of pods that were scheduled.
	// +optional
	Scheduled int32 `json:"scheduled,omitempty"`
	// PendingP50 is the median time that pods waited for a node, in real time.
	// +optional
	PendingP50 *metav1.Duration `json:"pendingP50,omitempty"`
	// PendingP99 is the 99th percentile of the time that pods waited for a node, in real time.
	// +optional
	PendingP99 *metav1.Duration `json:"pendingP99,omitempty"`
	// PendingMax is the maximum time that a pod waited for a node, in real time.
	// +optional
	PendingMax *metav1.Duration `json:"pendingMax,omitempty"`
	// LagMax is the maximum delay of an event.
	// +optional
	LagMax *metav1.Duration `json:"lagMax,omitempty"`
	// Results is the location of the results.
	// +optional
	Results string `json:"results,omitempty"`
}
