package replay

import (
	"context"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// fakePods serves the pods of a fake to watches.
type fakePods struct {
	kubernetes.Interface
	typedcorev1.CoreV1Interface
	typedcorev1.PodInterface
	target *fake
}

func (p *fakePods) CoreV1() typedcorev1.CoreV1Interface  { return p }
func (p *fakePods) Pods(string) typedcorev1.PodInterface { return p }
func (p *fakePods) version() string                      { return strconv.Itoa(p.target.uids) }

func (p *fakePods) pod(at place, was *metav1.ObjectMeta) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: *was.DeepCopy(), Status: p.target.status[at]}
	pod.Namespace, pod.Name, pod.ResourceVersion = at.namespace, at.name, p.version()
	return pod
}

func (p *fakePods) List(_ context.Context, opts metav1.ListOptions) (*corev1.PodList, error) {
	p.target.mu.Lock()
	defer p.target.mu.Unlock()
	selector, err := labels.Parse(opts.LabelSelector)
	if err != nil {
		return nil, err
	}
	list := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: p.version()}}
	for at, object := range p.target.objects {
		if at.resource == podResource() && selector.Matches(labels.Set(object.Labels)) {
			list.Items = append(list.Items, *p.pod(at, &object.ObjectMeta))
		}
	}
	return list, nil
}

func (p *fakePods) Watch(_ context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	if opts.SendInitialEvents != nil {
		return nil, apierrors.NewBadRequest("a watch does not list")
	}
	p.target.mu.Lock()
	defer p.target.mu.Unlock()
	if p.target.blind {
		return nil, apierrors.NewServiceUnavailable("no watch")
	}
	p.target.watcher = watch.NewRaceFreeFake()
	return p.target.watcher, nil
}

// tell sends a change to the watch. The caller holds the lock.
func (f *fake) tell(what watch.EventType, at place, object *metav1.ObjectMeta) {
	if f.watcher == nil || at.resource != podResource() {
		return
	}
	watcher, pod := f.watcher, (&fakePods{target: f}).pod(at, object)
	if f.tells == 0 {
		watcher.Action(what, pod)
		return
	}
	time.AfterFunc(f.tells, func() { watcher.Action(what, pod) })
}

// podAt returns the place of a pod of the simulation.
func podAt(name string) place {
	return place{resource: podResource(), namespace: "ns", name: name}
}

// vanish deletes a pod, as another client would.
func (f *fake) vanish(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(podAt(name))
}

// remove deletes an object. The caller holds the lock.
func (f *fake) remove(at place) {
	object := f.objects[at]
	delete(f.objects, at)
	f.tell(watch.Deleted, at, &object.ObjectMeta)
}

// setStatus sets the status of a pod.
func (f *fake) setStatus(name string, status corev1.PodStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status[podAt(name)] = status
	if object := f.objects[podAt(name)]; object != nil {
		f.tell(watch.Modified, podAt(name), &object.ObjectMeta)
	}
}

// loseWatch ends the watch, with an expired resource version. There is no other until blind is
// unset.
func (f *fake) loseWatch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blind = true
	f.watcher.Error(&metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired})
	f.watcher = nil
}

// getWatch allows watches again.
func (f *fake) getWatch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blind = false
}
