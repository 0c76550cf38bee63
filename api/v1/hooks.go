package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SimulationHooks are the commands run around a simulation, in the order listed. A failing hook
// fails the simulation unless its ignoreFailure is true.
type SimulationHooks struct {
	// PreStartHooks run once before anything is set up.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxItems=64
	PreStartHooks []SimulationHook `json:"preStartHooks,omitempty"`
	// PreRunHooks run before each repetition.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxItems=64
	PreRunHooks []SimulationHook `json:"preRunHooks,omitempty"`
	// PostRunHooks run after each repetition.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxItems=64
	PostRunHooks []SimulationHook `json:"postRunHooks,omitempty"`
	// PostStopHooks run once after the last repetition is cleaned up.
	// +optional
	// +nullable
	// +kubebuilder:validation:MaxItems=64
	PostStopHooks []SimulationHook `json:"postStopHooks,omitempty"`
}

// SimulationHook is one command, or one of the actions that need no program in the image.
//
// +kubebuilder:validation:XValidation:rule="[has(self.cmd), has(self.apply), has(self.waitForPods), has(self.deleteNodes)].filter(x, x).size() == 1",message="a hook needs exactly one of cmd, apply, waitForPods and deleteNodes"
// +kubebuilder:validation:XValidation:rule="has(self.cmd) || !(has(self.args) && size(self.args) > 0)",message="args are for cmd only"
// +kubebuilder:validation:XValidation:rule="has(self.cmd) || !(has(self.sendSim) && self.sendSim)",message="sendSim is for cmd only"
type SimulationHook struct {
	// Cmd is the program.
	// +optional
	// +kubebuilder:validation:MinLength=1
	Cmd string `json:"cmd,omitempty"`
	// Args are its arguments.
	// +optional
	// +nullable
	Args []string `json:"args,omitempty"`
	// IgnoreFailure lets the simulation go on when the command fails. Default: false.
	// +optional
	// +nullable
	IgnoreFailure bool `json:"ignoreFailure,omitempty"`
	// SendSim writes the Simulation as JSON to the command's standard input.
	// Default: false.
	// +optional
	// +nullable
	SendSim bool `json:"sendSim,omitempty"`
	// TimeoutSeconds is the time limit of the hook. A hook that exceeds it is killed and fails.
	// Default: 600.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// Apply applies manifests to the cluster.
	// +optional
	Apply *ApplyAction `json:"apply,omitempty"`
	// WaitForPods waits for pods.
	// +optional
	WaitForPods *WaitForPodsAction `json:"waitForPods,omitempty"`
	// DeleteNodes deletes nodes.
	// +optional
	DeleteNodes *DeleteNodesAction `json:"deleteNodes,omitempty"`
}

// ApplyAction applies manifests (server-side, field manager simkube, forced).
type ApplyAction struct {
	// Manifests are YAML or JSON, one or more documents.
	// +kubebuilder:validation:MinLength=1
	Manifests string `json:"manifests"`
}

// WaitForPodsAction waits until every selected pod is in the requested state.
type WaitForPodsAction struct {
	// Namespace is the namespace of the pods. Default: all namespaces.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Selector selects pods by label. Default: all pods.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	// For is the state: Ready, Finished (succeeded or failed), or Gone (no such pod exists). Default:
	// Ready.
	// +optional
	// +kubebuilder:validation:Enum=Ready;Finished;Gone
	// +kubebuilder:default=Ready
	For PodState `json:"for,omitempty"`
	// Count is the minimum number of pods; it is ignored for Gone. Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Count *int32 `json:"count,omitempty"`
}

// PodState is what a WaitForPodsAction waits for.
type PodState string

// The pod states that an action can wait for.
const (
	PodsReady    PodState = "Ready"
	PodsFinished PodState = "Finished"
	PodsGone     PodState = "Gone"
)

// DeleteNodesAction deletes the nodes that a selector matches. It must not match all nodes.
type DeleteNodesAction struct {
	// Selector selects nodes by label.
	// +kubebuilder:validation:XValidation:rule="(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)",message="an empty selector would delete every node"
	Selector metav1.LabelSelector `json:"selector"`
}

// HookPhase is when a hook runs.
//
// +kubebuilder:validation:Enum=PreStart;PreRun;PostRun;PostStop
type HookPhase string

// The phases, in the order in which they run.
const (
	HookPreStart HookPhase = "PreStart"
	HookPreRun   HookPhase = "PreRun"
	HookPostRun  HookPhase = "PostRun"
	HookPostStop HookPhase = "PostStop"
)

// HookState is the state of a hook.
//
// +kubebuilder:validation:Enum=Started;Succeeded;Failed
type HookState string

// The states of a hook. A hook that is Started and that no process runs was interrupted. Whether it
// did its work is not known, and it is not run again.
const (
	HookStarted   HookState = "Started"
	HookSucceeded HookState = "Succeeded"
	HookFailed    HookState = "Failed"
)

// HookRecord is the record of a hook. It is written before the hook starts, and again when it has
// ended.
type HookRecord struct {
	// Phase is the list of the spec that the hook is in.
	Phase HookPhase `json:"phase"`
	// Index is the index of the hook in the list, from 0.
	Index int32 `json:"index"`
	// Run is the repetition, from 1. It is 0 for PreStart and PostStop.
	// +optional
	Run int32 `json:"run,omitempty"`
	// State is the state of the hook.
	State HookState `json:"state"`
	// StartTime is when the hook started.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
	// EndTime is when the hook ended.
	// +optional
	EndTime *metav1.Time `json:"endTime,omitempty"`
	// ExitCode is the exit code of the command.
	// +optional
	ExitCode *int32 `json:"exitCode,omitempty"`
	// Message says why the hook failed.
	// +optional
	Message string `json:"message,omitempty"`
}
