package testkubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// retryPeriod is the time between two attempts at something that a pod waits for.
const retryPeriod = 250 * time.Millisecond

// worker runs one pod from when it is first seen until it is gone.
type worker struct {
	k         *Kubelet
	dir       string
	ctx       context.Context // ends when the kubelet stops or the pod is gone
	kill      context.CancelFunc
	live      context.Context // ends, before ctx, when the pod is deleted
	terminate context.CancelFunc
	patching  sync.Mutex // held while the status is written, so that a later one is not overwritten

	mu         sync.Mutex // guards the rest, and the fields of the containers
	pod        *corev1.Pod
	containers []*container
	startTime  *metav1.Time
}

func newWorker(ctx context.Context, k *Kubelet, pod *corev1.Pod) *worker {
	w := &worker{k: k, pod: pod, dir: filepath.Join(k.opts.Dir, "pods", string(pod.UID))}
	w.ctx, w.kill = context.WithCancel(ctx)
	w.live, w.terminate = context.WithCancel(w.ctx)
	for i := range pod.Spec.Containers {
		spec := &pod.Spec.Containers[i]
		w.containers = append(w.containers, &container{
			w: w, spec: spec,
			state: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
		})
	}
	if pod.DeletionTimestamp != nil {
		w.terminate()
	}
	return w
}

func (w *worker) update(pod *corev1.Pod) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pod = pod
	if pod.DeletionTimestamp != nil {
		w.terminate()
	}
}

// latest returns the pod as it was last seen. It must not be changed.
func (w *worker) latest() *corev1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pod
}

func (w *worker) run() {
	defer w.kill()
	defer os.RemoveAll(w.dir)
	if pod := w.latest(); !terminal(pod.Status.Phase) {
		w.runContainers()
		w.publish()
	}
	<-w.live.Done()
	if w.ctx.Err() == nil {
		w.remove()
	}
}

// runContainers runs the containers and returns when all have ended and are not restarted.
func (w *worker) runContainers() {
	if w.live.Err() != nil {
		return
	}
	if len(w.latest().Spec.InitContainers) > 0 {
		w.event("Failed", "this kubelet does not support init containers")
	}
	now := metav1.NewTime(w.k.opts.Clock.Now())
	w.mu.Lock()
	w.startTime = &now
	w.mu.Unlock()
	w.publish()
	volumes, err := w.prepare()
	if err != nil {
		return
	}
	var running sync.WaitGroup
	for _, c := range w.containers {
		running.Go(func() { c.run(volumes) })
	}
	running.Wait()
}

// prepare creates the volumes, and retries until that succeeds or the pod is deleted.
func (w *worker) prepare() (map[string]string, error) {
	reported := ""
	for {
		volumes, err := w.makeVolumes(w.live)
		if err == nil {
			return volumes, nil
		}
		if text := err.Error(); text != reported && w.live.Err() == nil {
			reported = text
			w.event("FailedMount", text)
		}
		if err := w.k.sleep(w.live, retryPeriod); err != nil {
			return nil, err
		}
	}
}

// remove deletes the pod from the API server.
func (w *worker) remove() {
	pod := w.latest()
	opts := metav1.DeleteOptions{GracePeriodSeconds: new(int64(0)), Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
	for {
		err := w.k.client.CoreV1().Pods(pod.Namespace).Delete(w.ctx, pod.Name, opts)
		if err == nil || w.ctx.Err() != nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		w.k.opts.Logger.WarnContext(w.ctx, "delete a pod in the end", "namespace", pod.Namespace, "pod", pod.Name, "error", err)
		if w.k.sleep(w.ctx, retryPeriod) != nil {
			return
		}
	}
}

// grace returns how long the pod's processes may take to end.
func (w *worker) grace() time.Duration {
	seconds := int64(corev1.DefaultTerminationGracePeriodSeconds)
	pod := w.latest()
	switch {
	case pod.DeletionGracePeriodSeconds != nil:
		seconds = *pod.DeletionGracePeriodSeconds
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		seconds = *pod.Spec.TerminationGracePeriodSeconds
	}
	return time.Duration(seconds) * time.Second
}

func (w *worker) event(reason, message string) {
	pod := w.latest()
	now := metav1.NewTime(w.k.opts.Clock.Now())
	_, err := w.k.client.CoreV1().Events(pod.Namespace).Create(w.ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: pod.Name + ".", Namespace: pod.Namespace},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
		},
		Type: corev1.EventTypeWarning, Reason: reason, Message: message, Count: 1,
		FirstTimestamp: now, LastTimestamp: now,
		Source: corev1.EventSource{Component: "testkubelet", Host: w.k.opts.NodeName},
	}, metav1.CreateOptions{})
	if err != nil && w.ctx.Err() == nil {
		w.k.opts.Logger.WarnContext(w.ctx, "make an event", "message", message, "error", err)
	}
}

func (w *worker) processes() []Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Process
	for _, c := range w.containers {
		if c.state.Running != nil {
			all = append(all, Process{Namespace: w.pod.Namespace, Pod: w.pod.Name, Container: c.spec.Name, PID: c.pid})
		}
	}
	return all
}

func terminal(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

func containerID(pid int) string { return fmt.Sprintf("process://%d", pid) }
