package controller

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// driverPod returns a pod with this status of its container.
func driverPod(ready bool, status corev1.ContainerStatus) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Spec.NodeName, pod.Spec.ServiceAccountName = "real-1", "sk-driver"
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
	if ready {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return pod
}

func working(restarts int32) corev1.ContainerStatus {
	return corev1.ContainerStatus{RestartCount: restarts, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func pending(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func crashed(restarts int32, code int32, words string) corev1.ContainerStatus {
	status := pending("CrashLoopBackOff", "back-off")
	status.RestartCount = restarts
	status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error", Message: words}
	return status
}

func jobThat(kind batchv1.JobConditionType) batchv1.JobStatus {
	return batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue}}}
}

func TestObserved_Assess(t *testing.T) {
	unschedulable := &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes"},
	}}}
	going := driverPod(true, working(0))
	going.DeletionTimestamp = &metav1.Time{}
	for name, tc := range map[string]struct {
		driver       simkubev1.DriverStatus
		started      bool
		ready        string // message of a Ready condition with the reason Retrying
		job          batchv1.JobStatus
		pod          *corev1.Pod
		startFailure string

		state   simkubev1.SimulationState
		reason  string
		message string // a part of it
		grace   time.Duration
		done    bool
		failed  bool
	}{
		"no pod yet": {state: "Initializing", reason: "Initializing", message: "pod is being created"},
		"no pod": {
			startFailure: "violates PodSecurity", state: "Initializing", reason: "DriverPodRefused", message: "cannot be created: violates PodSecurity. Allow it in namespace simkube", grace: startGrace,
		},
		"no node":        {pod: unschedulable, state: "Initializing", reason: "Unschedulable", message: "0/3 nodes"},
		"creating":       {pod: driverPod(false, pending("ContainerCreating", "")), state: "Initializing", reason: "Initializing", message: "container"},
		"preparing":      {driver: simkubev1.DriverStatus{Phase: "Preparing"}, pod: driverPod(true, working(0)), state: "Initializing", reason: "Initializing", message: "is reading"},
		"created paused": {driver: simkubev1.DriverStatus{Phase: "Preparing", Paused: true}, pod: driverPod(true, working(0)), state: "Paused", reason: "Paused", message: "created paused"},
		"image":          {pod: driverPod(false, pending("ImagePullBackOff", "no such image")), state: "Initializing", reason: "DriverImage", message: "no such image", grace: startGrace},
		"no program":     {pod: driverPod(false, pending("CreateContainerError", "no command")), state: "Initializing", reason: "DriverImage", message: "entrypoint", grace: startGrace},
		"environment":    {pod: driverPod(false, pending("CreateContainerConfigError", `secret "aws" not found`)), state: "Initializing", reason: "SecretMissing", message: "aws", grace: startGrace},
		"no trace": {
			pod: driverPod(false, pending("ContainerCreating", "")), startFailure: `MountVolume.SetUp failed for volume "trace" : hostPath type check failed: /data/trace is not a file`,
			state: "Initializing", reason: "TraceNotFound", message: "Node real-1 has no file /data/trace", grace: startGrace,
		},
		"no volume": {
			pod: driverPod(false, pending("ContainerCreating", "")), startFailure: `MountVolume.SetUp failed for volume "results" : timed out`,
			state: "Initializing", reason: "ClaimMissing", message: "timed out", grace: startGrace,
		},
		"no certificate": {
			pod: driverPod(false, pending("ContainerCreating", "")), startFailure: `MountVolume.SetUp failed for volume "certificate" : secret "sk-driver-cert" not found`,
			state: "Initializing", reason: "VolumeNotMounted", message: "certificate cannot be mounted", grace: startGrace,
		},
		"no image, after all": {
			pod: driverPod(false, pending("ImagePullBackOff", "no such image")), startFailure: `MountVolume.SetUp failed for volume "trace" : timed out`,
			state: "Initializing", reason: "DriverImage", message: "no such image", grace: startGrace,
		},
		"crash before the replay": {pod: driverPod(false, crashed(2, 2, "cannot list\n")), state: "Retrying", reason: "Retrying", message: "2 times before the replay started, and is being restarted, the last time with exit code 2: cannot list.", started: false},

		"replaying":    {driver: simkubev1.DriverStatus{Phase: "Replaying"}, pod: driverPod(true, working(0)), state: "Running", reason: "Replaying"},
		"between runs": {driver: simkubev1.DriverStatus{Phase: "Preparing"}, started: true, pod: driverPod(true, working(0)), state: "Running", reason: "Replaying"},
		"paused":       {driver: simkubev1.DriverStatus{Phase: "Replaying", Paused: true}, pod: driverPod(true, working(0)), state: "Paused", reason: "Paused"},
		"a slow probe": {driver: simkubev1.DriverStatus{Phase: "Replaying"}, pod: driverPod(false, working(0)), state: "Running", reason: "Replaying"},
		"crashed":      {driver: simkubev1.DriverStatus{Phase: "Replaying"}, pod: driverPod(false, crashed(1, 137, "")), state: "Retrying", reason: "Retrying", message: "exit code 137"},
		"coming back":  {driver: simkubev1.DriverStatus{Phase: "Replaying"}, pod: driverPod(false, working(1)), state: "Retrying", reason: "Retrying"},
		"back again":   {driver: simkubev1.DriverStatus{Phase: "Replaying"}, pod: driverPod(true, working(1)), state: "Running", reason: "Replaying"},
		"evicted":      {driver: simkubev1.DriverStatus{Phase: "Replaying"}, pod: going, state: "Retrying", reason: "Retrying"},
		"elsewhere": {
			driver: simkubev1.DriverStatus{Phase: "Replaying"}, job: batchv1.JobStatus{Failed: 1}, pod: driverPod(false, pending("ErrImagePull", "denied")),
			state: "Retrying", reason: "DriverImage", message: "denied", grace: startGrace,
		},

		"done":             {driver: simkubev1.DriverStatus{Phase: "Finished"}, pod: driverPod(true, working(0)), done: true},
		"done before all":  {driver: simkubev1.DriverStatus{Phase: "Finished"}, job: jobThat(batchv1.JobFailed), done: true},
		"failed":           {driver: simkubev1.DriverStatus{Phase: "Failed", Reason: "TraceEmpty", Message: "nothing in it"}, failed: true, reason: "TraceEmpty", message: "nothing in it"},
		"failed oddly":     {driver: simkubev1.DriverStatus{Phase: "Failed", Reason: "no reason at all"}, failed: true, reason: "DriverFailed", message: "without a message"},
		"given up":         {job: jobThat(batchv1.JobFailed), pod: driverPod(false, crashed(6, 3, "out of luck")), failed: true, reason: "DriverFailed", message: "started 7 times, and exited early each time, the last time with exit code 3: out of luck."},
		"given up, no pod": {job: jobThat(batchv1.JobFailed), ready: "It said: out of luck.", failed: true, reason: "DriverFailed", message: "(It said: out of luck)"},
		"no word":          {job: jobThat(batchv1.JobComplete), driver: simkubev1.DriverStatus{Phase: "Replaying"}, state: "Running", reason: "DriverFailed", message: "driver:v1", grace: 5 * time.Second, started: true},
	} {
		t.Run(name, func(t *testing.T) {
			sim := &simkubev1.Simulation{Status: &simkubev1.SimulationStatus{Driver: &tc.driver}}
			sim.Spec.Driver.Namespace = "simkube"
			sim.Spec.Driver.Image, sim.Spec.Driver.TracePath = "driver:v1", "file:///data/trace"
			if tc.started {
				sim.Status.StartTime, sim.Status.State = &metav1.Time{}, simkubev1.SimulationRunning
			}
			if tc.ready != "" {
				sim.Status.Conditions = []metav1.Condition{{Type: simkubev1.ConditionReady, Reason: reasonRetrying, Message: tc.ready}}
			}
			v := observed{sim: sim, job: &batchv1.Job{Status: tc.job}, pod: tc.pod, startFailure: tc.startFailure}.assess()
			if v.failed != nil {
				v.reason, v.message = v.failed.reason, v.failed.message
			}
			if v.state != tc.state || v.reason != tc.reason || v.grace != tc.grace || v.done != tc.done || (v.failed != nil) != tc.failed {
				t.Errorf("got %+v, want %+v", v, tc)
			}
			if !strings.Contains(v.message, tc.message) {
				t.Errorf("message: got %q, want a part %q", v.message, tc.message)
			}
		})
	}
}

func TestEarliestEvent(t *testing.T) {
	for _, tc := range []struct{ created, now, want int }{{0, 0, 0}, {0, 180, 0}, {0, 181, 1}, {0, 3600, 3420}} {
		if got := earliestEvent(at(tc.created), at(tc.now)); !got.Equal(at(tc.want)) {
			t.Errorf("created %d s, now %d s: got %v, want %v", tc.created, tc.now, got, at(tc.want))
		}
	}
}

func TestLatestMessage(t *testing.T) {
	event := func(message string, seconds int) corev1.Event {
		return corev1.Event{Message: message, LastTimestamp: metav1.NewTime(at(seconds))}
	}
	series := corev1.Event{Message: "of a series", EventTime: metav1.NewMicroTime(at(9))}
	for name, tc := range map[string]struct {
		events []corev1.Event
		want   string
	}{
		"none":           {nil, ""},
		"of another job": {[]corev1.Event{event("old", -1)}, ""},
		"the last":       {[]corev1.Event{event("b", 2), event("c", 3), event("a", 1)}, "c"},
		"with a series":  {[]corev1.Event{event("b", 2), series}, "of a series"},
	} {
		if got := latestMessage(tc.events, at(0)); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// What an event says about volumes is not reported for a pod that is pulling its image.
func TestWaitsForVolumes(t *testing.T) {
	pod := func(node string, phase corev1.PodPhase, conditions ...corev1.PodCondition) *corev1.Pod {
		return &corev1.Pod{Spec: corev1.PodSpec{NodeName: node}, Status: corev1.PodStatus{Phase: phase, Conditions: conditions}}
	}
	sandbox := func(status corev1.ConditionStatus) corev1.PodCondition {
		return corev1.PodCondition{Type: corev1.PodReadyToStartContainers, Status: status}
	}
	for name, tc := range map[string]struct {
		pod  *corev1.Pod
		want bool
	}{
		"not on a node":     {pod("", corev1.PodPending), false},
		"nothing known":     {pod("real-1", corev1.PodPending), true},
		"without a sandbox": {pod("real-1", corev1.PodPending, sandbox(corev1.ConditionFalse)), true},
		"with one":          {pod("real-1", corev1.PodPending, sandbox(corev1.ConditionTrue)), false},
		"running":           {pod("real-1", corev1.PodRunning), false},
	} {
		if got := waitsForVolumes(tc.pod); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
