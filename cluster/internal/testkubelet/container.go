package testkubelet

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 500 * time.Millisecond
	// A container that ran for longer than this is restarted at once when it ends.
	ranWell = 10 * time.Second
	// startError is the exit code of a container whose program could not be started.
	startError = 128
)

// container is a container of a pod, whose program is restarted according to the pod's restart
// policy.
type container struct {
	w    *worker
	spec *corev1.Container
	// The worker's mu guards the rest.
	state, last corev1.ContainerState
	restarts    int32
	ready       bool
	pid         int
}

// run runs the container and returns when it has ended and is not restarted.
func (c *container) run(volumes map[string]string) {
	backoff := firstBackoff
	for first := true; c.w.live.Err() == nil; first = false {
		cmd, reason, err := c.command(volumes)
		if err != nil {
			c.set(func() {
				c.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: err.Error()}}
			})
			if c.w.k.sleep(c.w.live, retryPeriod) != nil {
				return
			}
			continue
		}
		if !first && c.last.Terminated != nil {
			c.set(func() { c.restarts++ })
		}
		ended := c.once(cmd)
		if c.w.live.Err() != nil || !c.again(ended.ExitCode) {
			c.set(func() { c.state = corev1.ContainerState{Terminated: ended} })
			return
		}
		if ended.FinishedAt.Sub(ended.StartedAt.Time) >= ranWell {
			backoff = firstBackoff
		}
		c.set(func() {
			c.last = corev1.ContainerState{Terminated: ended}
			c.state = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
				Reason: "CrashLoopBackOff", Message: fmt.Sprintf("back-off %s restarting failed container", backoff),
			}}
		})
		if c.w.k.sleep(c.w.live, backoff) != nil {
			c.set(func() { c.state = corev1.ContainerState{Terminated: ended} })
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// again reports whether to restart the container after it has exited.
func (c *container) again(code int32) bool {
	switch c.w.latest().Spec.RestartPolicy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return code != 0
	}
	return true
}

// once runs the program until it exits or the pod ends, and then kills the rest of its process
// group.
func (c *container) once(cmd *exec.Cmd) *corev1.ContainerStateTerminated {
	ended := &corev1.ContainerStateTerminated{StartedAt: c.now(), Reason: "Error"}
	log, err := c.w.k.openLog(c.w.latest(), c.spec.Name)
	if err == nil {
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		err = c.w.k.starter.start(cmd)
	}
	if err != nil {
		ended.FinishedAt, ended.ExitCode, ended.Reason, ended.Message = c.now(), startError, "StartError", err.Error()
		return ended
	}
	pid := cmd.Process.Pid
	probed, stopProbing := context.WithCancel(c.w.live)
	probing := make(chan struct{})
	c.set(func() {
		c.pid = pid
		c.state = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ended.StartedAt}}
		c.ready = c.spec.ReadinessProbe == nil
	})
	go func() {
		defer close(probing)
		c.probe(probed)
	}()
	c.wait(cmd, pid)
	stopProbing()
	<-probing
	_ = signal(pid, syscall.SIGKILL) // processes that it has left
	ended.FinishedAt, ended.ContainerID = c.now(), containerID(pid)
	ended.ExitCode, ended.Signal = exitOf(cmd)
	if ended.ExitCode == 0 {
		ended.Reason = "Completed"
	}
	c.w.mu.Lock()
	c.ready, c.pid = false, 0
	c.state = corev1.ContainerState{Terminated: ended}
	c.w.mu.Unlock() // the caller publishes the status
	return ended
}

// wait waits for the process. When the pod ends, wait stops it, with the grace period unless the
// kubelet stops.
func (c *container) wait(cmd *exec.Cmd, pid int) {
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // the result is in its ProcessState
	}()
	select {
	case <-exited:
		return
	case <-c.w.live.Done():
	}
	if c.w.ctx.Err() == nil {
		_ = signal(pid, syscall.SIGTERM)
		timer := c.w.k.opts.Clock.NewTimer(c.w.grace())
		defer timer.Stop()
		select {
		case <-exited:
			return
		case <-timer.C():
		case <-c.w.ctx.Done():
		}
	}
	_ = signal(pid, syscall.SIGKILL)
	<-exited
}

func exitOf(cmd *exec.Cmd) (code, sig int32) {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int32(status.Signal()), int32(status.Signal())
	}
	return int32(cmd.ProcessState.ExitCode()), 0
}

// set changes the status of the container and publishes it.
func (c *container) set(change func()) {
	c.w.mu.Lock()
	change()
	c.w.mu.Unlock()
	c.w.publish()
}

func (c *container) now() metav1.Time { return metav1.NewTime(c.w.k.opts.Clock.Now()) }
