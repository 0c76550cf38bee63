package controller

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
	"simkube.io/simkube/internal/words"
)

// observed is what is seen of a driver.
type observed struct {
	sim *simkubev1.Simulation
	job *batchv1.Job
	// pod is the youngest that is not going, or else the youngest; nil if there is none.
	pod *corev1.Pod
	// startFailure is what is said last about a pod that cannot be made, or, when there is one, about a volume that it lacks.
	startFailure string
}

// assessment is what that means.
type assessment struct {
	state           simkubev1.SimulationState
	reason, message string
	// grace, if not 0, is how long it may be so before the simulation has failed.
	grace time.Duration
	// done tells that the driver has done everything; failed that it has not, and will not.
	done   bool
	failed *failure
}

func (o observed) assess() assessment {
	driver := o.driver()
	switch driver.Phase {
	case simkubev1.DriverFinished:
		return assessment{done: true}
	case simkubev1.DriverFailed:
		return assessment{failed: &failure{
			conditionReason(driver),
			cmp.Or(driver.Message, "The driver has failed, and does not say why."),
		}}
	}
	for _, condition := range o.job.Status.Conditions {
		if condition.Status != corev1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case batchv1.JobFailed:
			return assessment{failed: &failure{reasonDriver, fmt.Sprintf("The driver was started %d times, and ended early each time%s. "+
				"Correct what it complains of, and create the simulation anew.", objects.BackoffLimit+1, o.finalTermination())}}
		case batchv1.JobComplete:
			// Its last word may be on its way.
			return assessment{
				state: o.stateOr(simkubev1.SimulationInitializing), reason: reasonDriver, grace: 5 * time.Second,
				message: fmt.Sprintf("The driver has ended without a word about its replay. Is %s a driver of SimKube?", o.sim.Spec.Driver.Image),
			}
		}
	}
	if o.hasStarted() {
		return o.assessRunning()
	}
	return o.assessStarting()
}

// assessRunning is for a simulation that has begun to replay.
func (o observed) assessRunning() assessment {
	driver := o.driver()
	switch {
	case o.isRestarting():
		v := o.assessPod()
		v.state = simkubev1.SimulationRetrying
		if v.reason == reasonInitializing {
			v.reason = reasonRetrying
			v.message = "The driver has ended early, and is started anew" + o.lastTermination() + "."
		}
		return v
	case driver.Paused:
		return assessment{state: simkubev1.SimulationPaused, reason: reasonPaused, message: "The replay stands still; skctl resume has it go on."}
	default:
		return assessment{state: simkubev1.SimulationRunning, reason: reasonReplaying, message: "The driver replays the trace."}
	}
}

// assessStarting is for one that has not.
func (o observed) assessStarting() assessment {
	if o.driver().Paused && !o.isRestarting() {
		return assessment{state: simkubev1.SimulationPaused, reason: reasonPaused, message: "The simulation was created paused; skctl resume has it begin."}
	}
	v := o.assessPod()
	v.state = simkubev1.SimulationInitializing
	if restarts := o.restarts(); restarts > 0 {
		v.state = simkubev1.SimulationRetrying
		if v.reason == reasonInitializing {
			v.reason = reasonRetrying
			v.message = fmt.Sprintf("The driver has ended early %s before the replay began, and is started anew%s.", plural(restarts, "time"), o.lastTermination())
		}
	}
	return v
}

// assessPod says what a pod that does not work yet waits for.
func (o observed) assessPod() assessment {
	switch {
	case o.pod == nil && o.startFailure != "":
		return assessment{reason: reasonNoPod, grace: startGrace, message: fmt.Sprintf("The driver's pod cannot be made: %s. "+
			"Have namespace %s allow it, or use another.", strings.TrimSuffix(o.startFailure, "."), o.sim.Spec.Driver.Namespace)}
	case o.pod == nil:
		return assessment{reason: reasonInitializing, message: "The driver's pod is being made."}
	}
	for _, condition := range o.pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return assessment{reason: reasonUnschedulable, message: "No node takes the driver's pod; it needs one that is not simulated. " + condition.Message}
		}
	}
	wait := o.container().State.Waiting
	if wait == nil {
		return assessment{reason: reasonInitializing, message: "The driver reads the trace."}
	}
	switch wait.Reason { // the kubelet comes to these when it has the volumes
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		return assessment{reason: reasonImage, grace: startGrace, message: fmt.Sprintf(
			"The image %s cannot be pulled: %s. Correct spec.driver.image, or give the service account %s the pull secret of its registry.",
			o.sim.Spec.Driver.Image, cmp.Or(wait.Message, wait.Reason), o.pod.Spec.ServiceAccountName)}
	case "CreateContainerError", "RunContainerError", "StartError":
		return assessment{reason: reasonImage, grace: startGrace, message: fmt.Sprintf(
			"The image %s cannot be run: %s. Its entrypoint must be SimKube's driver.", o.sim.Spec.Driver.Image, cmp.Or(wait.Message, wait.Reason))}
	case "CreateContainerConfigError":
		return assessment{reason: reasonSecret, grace: startGrace, message: fmt.Sprintf(
			"The driver's environment cannot be made: %s. See spec.driver.secrets.", cmp.Or(wait.Message, wait.Reason))}
	}
	if o.startFailure != "" {
		return o.assessMount()
	}
	return assessment{reason: reasonInitializing, message: "The driver's container is being made."}
}

// assessMount says which volume is missing.
func (o observed) assessMount() assessment {
	v := assessment{grace: startGrace}
	local, _ := objects.TracePath(o.sim.Spec.Driver.TracePath)
	names := func(volume string) bool { return strings.Contains(o.startFailure, fmt.Sprintf("%q", volume)) }
	switch {
	case local != "" && (names(objects.VolumeTrace) || strings.Contains(o.startFailure, local)):
		v.reason = reasonTrace
		v.message = fmt.Sprintf("Node %s has no file %s: %s. Put the trace there on every node that may run the driver, or in a bucket; "+
			"if the image holds it, set the annotation %s: \"true\".", o.pod.Spec.NodeName, local, o.startFailure, simkubev1.AnnotationSkipLocalVolumeMount)
	case names(objects.VolumeResults):
		v.reason = reasonClaim
		v.message = fmt.Sprintf("The volume for the results cannot be mounted: %s. See the claim of spec.results.", o.startFailure)
	case names(objects.VolumeCertificate):
		v.reason = reasonVolume
		v.message = fmt.Sprintf("The webhook's certificate cannot be mounted: %s.", o.startFailure)
	default:
		v.reason = reasonVolume
		v.message = fmt.Sprintf("A volume of the driver's pod cannot be mounted: %s.", o.startFailure)
	}
	return v
}

func (o observed) driver() simkubev1.DriverStatus {
	if o.sim.Status == nil || o.sim.Status.Driver == nil {
		return simkubev1.DriverStatus{}
	}
	return *o.sim.Status.Driver
}

// hasStarted tells whether the replay has begun, in this driver or in one before it.
func (o observed) hasStarted() bool {
	return o.sim.Status != nil && o.sim.Status.StartTime != nil || isReplaying(o.driver().Phase)
}

func isReplaying(phase simkubev1.DriverPhase) bool {
	switch phase {
	case simkubev1.DriverReplaying, simkubev1.DriverSettling, simkubev1.DriverReporting, simkubev1.DriverCleaning:
		return true
	default:
		return false
	}
}

func (o observed) stateOr(otherwise simkubev1.SimulationState) simkubev1.SimulationState {
	return cmp.Or(state(o.sim), otherwise)
}

// isRestarting tells whether no driver works at the moment, or a later one does not yet.
func (o observed) isRestarting() bool {
	if o.pod == nil || o.pod.DeletionTimestamp != nil || o.container().State.Running == nil {
		return true
	}
	return o.restarts() > 0 && !isReady(o.pod)
}

// restarts is how often a driver has ended early.
func (o observed) restarts() int32 { return o.job.Status.Failed + o.container().RestartCount }

// container is empty while the kubelet has not said anything.
func (o observed) container() corev1.ContainerStatus {
	if o.pod == nil || len(o.pod.Status.ContainerStatuses) == 0 {
		return corev1.ContainerStatus{}
	}
	return o.pod.Status.ContainerStatuses[0]
}

// lastTermination says how the driver ended last, and what it printed then.
func (o observed) lastTermination() string {
	c := o.container()
	end := c.State.Terminated
	if end == nil {
		end = c.LastTerminationState.Terminated
	}
	if end == nil {
		return ""
	}
	text := fmt.Sprintf(", the last time with exit code %d", end.ExitCode)
	if end.Reason != "" && end.Reason != "Error" {
		text += " (" + end.Reason + ")"
	}
	if words := strings.TrimSpace(end.Message); words != "" {
		text += ": " + words
	}
	return text
}

// finalTermination is lastTermination when the pod may be gone: then what was said of it before is repeated.
func (o observed) finalTermination() string {
	if words := o.lastTermination(); words != "" {
		return words
	}
	if ready := conditionOf(o.sim, simkubev1.ConditionReady); ready != nil && ready.Reason == reasonRetrying {
		return fmt.Sprintf(" (%s)", strings.TrimSuffix(ready.Message, "."))
	}
	return ""
}

// conditionReason is the driver's, if it is one that a condition takes.
func conditionReason(driver simkubev1.DriverStatus) string {
	const maxReason = 64
	letter := func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
	if driver.Reason == "" || len(driver.Reason) > maxReason || strings.ContainsFunc(driver.Reason, func(r rune) bool { return !letter(r) }) {
		return reasonDriver
	}
	return driver.Reason
}

func isReady(pod *corev1.Pod) bool { return hasCondition(pod, corev1.PodReady) }

// hasCondition tells whether a condition is known to hold.
func hasCondition(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == kind {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
