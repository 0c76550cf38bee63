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

// observed is the observed state of a driver.
type observed struct {
	sim *simkubev1.Simulation
	job *batchv1.Job
	// pod is the newest one that is not being deleted, or else the newest; nil if there is none.
	pod *corev1.Pod
	// startFailure is the latest event about a pod that cannot be created, or about a volume that it
	// cannot mount.
	startFailure string
}

// assessment is what the observed state means for the simulation.
type assessment struct {
	state           simkubev1.SimulationState
	reason, message string
	// grace, if not 0, is how long the simulation may be in this state before it fails.
	grace time.Duration
	// done is set when the driver has completed, failed when it has failed for good.
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
			cmp.Or(driver.Message, "The driver failed without a message."),
		}}
	}
	for _, condition := range o.job.Status.Conditions {
		if condition.Status != corev1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case batchv1.JobFailed:
			return assessment{failed: &failure{reasonDriver, fmt.Sprintf("The driver was started %d times, and exited early each time%s. "+
				"Fix the error, and create the simulation again.", objects.BackoffLimit+1, o.finalTermination())}}
		case batchv1.JobComplete:
			// The driver's last status may not have arrived yet.
			return assessment{
				state: o.stateOr(simkubev1.SimulationInitializing), reason: reasonDriver, grace: 5 * time.Second,
				message: fmt.Sprintf("The driver completed without reporting a result. Check that %s is an image of sk-driver.", o.sim.Spec.Driver.Image),
			}
		}
	}
	if o.hasStarted() {
		return o.assessRunning()
	}
	return o.assessStarting()
}

// assessRunning is for a simulation whose replay has started.
func (o observed) assessRunning() assessment {
	driver := o.driver()
	switch {
	case o.isRestarting():
		v := o.assessPod()
		v.state = simkubev1.SimulationRetrying
		if v.reason == reasonInitializing {
			v.reason = reasonRetrying
			v.message = "The driver exited early, and is being restarted" + o.lastTermination() + "."
		}
		return v
	case driver.Paused:
		return assessment{state: simkubev1.SimulationPaused, reason: reasonPaused, message: "The replay is paused; skctl resume continues it."}
	default:
		return assessment{state: simkubev1.SimulationRunning, reason: reasonReplaying, message: "The driver is replaying the trace."}
	}
}

// assessStarting is for a simulation whose replay has not started.
func (o observed) assessStarting() assessment {
	if o.driver().Paused && !o.isRestarting() {
		return assessment{state: simkubev1.SimulationPaused, reason: reasonPaused, message: "The simulation was created paused; skctl resume starts it."}
	}
	v := o.assessPod()
	v.state = simkubev1.SimulationInitializing
	if restarts := o.restarts(); restarts > 0 {
		v.state = simkubev1.SimulationRetrying
		if v.reason == reasonInitializing {
			v.reason = reasonRetrying
			v.message = fmt.Sprintf("The driver exited early %s before the replay started, and is being restarted%s.", words.Count(restarts, "time"), o.lastTermination())
		}
	}
	return v
}

// assessPod returns what a pod that is not running yet waits for.
func (o observed) assessPod() assessment {
	switch {
	case o.pod == nil && o.startFailure != "":
		return assessment{reason: reasonNoPod, grace: startGrace, message: fmt.Sprintf("The driver's pod cannot be created: %s. "+
			"Allow it in namespace %s, or use another one.", strings.TrimSuffix(o.startFailure, "."), o.sim.Spec.Driver.Namespace)}
	case o.pod == nil:
		return assessment{reason: reasonInitializing, message: "The driver's pod is being created."}
	}
	for _, condition := range o.pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return assessment{reason: reasonUnschedulable, message: "The driver's pod cannot be scheduled; it needs a node that is not simulated. " + condition.Message}
		}
	}
	wait := o.container().State.Waiting
	if wait == nil {
		return assessment{reason: reasonInitializing, message: "The driver is reading the trace."}
	}
	switch wait.Reason { // the kubelet gets here once it has mounted the volumes
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		return assessment{reason: reasonImage, grace: startGrace, message: fmt.Sprintf(
			"The image %s cannot be pulled: %s. Correct spec.driver.image, or add the pull secret of its registry to the service account %s.",
			o.sim.Spec.Driver.Image, cmp.Or(wait.Message, wait.Reason), o.pod.Spec.ServiceAccountName)}
	case "CreateContainerError", "RunContainerError", "StartError":
		return assessment{reason: reasonImage, grace: startGrace, message: fmt.Sprintf(
			"The image %s cannot be run: %s. Its entrypoint must be SimKube's driver.", o.sim.Spec.Driver.Image, cmp.Or(wait.Message, wait.Reason))}
	case "CreateContainerConfigError":
		return assessment{reason: reasonSecret, grace: startGrace, message: fmt.Sprintf(
			"The driver's environment cannot be created: %s. See spec.driver.secrets.", cmp.Or(wait.Message, wait.Reason))}
	}
	if o.startFailure != "" {
		return o.assessMount()
	}
	return assessment{reason: reasonInitializing, message: "The driver's container is being created."}
}

// assessMount returns which volume is missing.
func (o observed) assessMount() assessment {
	v := assessment{grace: startGrace}
	local, _ := objects.TracePath(o.sim.Spec.Driver.TracePath)
	names := func(volume string) bool { return strings.Contains(o.startFailure, fmt.Sprintf("%q", volume)) }
	switch {
	case local != "" && (names(objects.VolumeTrace) || strings.Contains(o.startFailure, local)):
		v.reason = reasonTrace
		v.message = fmt.Sprintf("Node %s has no file %s: %s. Put the trace there on every node that may run the driver, or in a bucket; "+
			"if the image contains it, set the annotation %s: \"true\".", o.pod.Spec.NodeName, local, o.startFailure, simkubev1.AnnotationSkipLocalVolumeMount)
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

// hasStarted reports whether the replay has started, in this driver or an earlier one.
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

// isRestarting reports whether no driver is running, or one was restarted and is not ready yet.
func (o observed) isRestarting() bool {
	if o.pod == nil || o.pod.DeletionTimestamp != nil || o.container().State.Running == nil {
		return true
	}
	return o.restarts() > 0 && !isReady(o.pod)
}

// restarts returns how often a driver has exited early.
func (o observed) restarts() int32 { return o.job.Status.Failed + o.container().RestartCount }

// container returns the status of the driver's container, which is empty until the kubelet reports
// it.
func (o observed) container() corev1.ContainerStatus {
	if o.pod == nil || len(o.pod.Status.ContainerStatuses) == 0 {
		return corev1.ContainerStatus{}
	}
	return o.pod.Status.ContainerStatuses[0]
}

// lastTermination returns how the driver last exited and what it printed then.
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

// finalTermination is lastTermination for a pod that may be gone: then it repeats the message of
// the condition Ready.
func (o observed) finalTermination() string {
	if words := o.lastTermination(); words != "" {
		return words
	}
	if ready := conditionOf(o.sim, simkubev1.ConditionReady); ready != nil && ready.Reason == reasonRetrying {
		return fmt.Sprintf(" (%s)", strings.TrimSuffix(ready.Message, "."))
	}
	return ""
}

// conditionReason returns the driver's reason if it is valid in a condition.
func conditionReason(driver simkubev1.DriverStatus) string {
	const maxReason = 64
	letter := func(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
	if driver.Reason == "" || len(driver.Reason) > maxReason || strings.ContainsFunc(driver.Reason, func(r rune) bool { return !letter(r) }) {
		return reasonDriver
	}
	return driver.Reason
}

func isReady(pod *corev1.Pod) bool { return hasCondition(pod, corev1.PodReady) }

// hasCondition reports whether a condition is True.
func hasCondition(pod *corev1.Pod, kind corev1.PodConditionType) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == kind {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
