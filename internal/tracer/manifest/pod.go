package manifest

import (
	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/trace"
)

// Pod is the lifecycle of a pod.
type Pod struct {
	Head Head
	// NodeName is the node that the pod is bound to, empty if it is not bound.
	NodeName string
	// Scheduled is when the pod was bound to its node, Started when the kubelet accepted it
	// (status.startTime), in unix seconds; 0 if that has not happened.
	Scheduled, Started int64
	// Lifecycle is when the containers ran.
	Lifecycle trace.Lifecycle
}

// ParsePod parses the lifecycle in a pod's JSON.
func ParsePod(json []byte) (Pod, error) {
	p := podParser{scanner: scanner{data: json}}
	var scratch [512]byte
	p.head.arena = scratch[:0]
	if err := p.read(); err != nil {
		return Pod{}, err
	}
	return p.pod(p.head.head(nil)), nil
}

// ObserveDeleted returns the lifecycle of the pod if it was deleted at a time in unix seconds: a
// pod that was still running finished then.
func (p *Pod) ObserveDeleted(at int64) trace.Lifecycle {
	if l := p.Lifecycle; l.State == trace.Running {
		return trace.Lifecycle{State: trace.Finished, Start: l.Start, End: max(at, l.Start)}
	}
	return p.Lifecycle
}

type podParser struct {
	scanner
	head headParts
	podParts
}

// podParts collects the fields of a Pod except its head, from the spec and the status in any order.
type podParts struct {
	// containers is the number of main containers in the spec.
	containers         int
	nodeName           []byte
	scheduled, started int64
	life               life
}

// pod returns the Pod with a head.
func (p *podParts) pod(head Head) Pod {
	return Pod{
		Head: head, NodeName: string(p.nodeName), Scheduled: p.scheduled, Started: p.started,
		Lifecycle: p.life.lifecycle(p.containers),
	}
}

func (p *podParser) read() *Error {
	if err := p.open('{', "an object"); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := p.key(first)
		if err != nil {
			return err
		}
		if !more {
			return p.end()
		}
		switch string(key) {
		case "metadata":
			err = p.head.read(&p.scanner, 1)
		case "spec":
			err = p.fields(func(key []byte) *Error { return p.specField(&p.scanner, key) })
		case "status":
			err = p.fields(func(key []byte) *Error { return p.statusField(&p.scanner, key) })
		default:
			err = p.skip(1)
		}
		if err != nil {
			return err
		}
	}
}

func (p *podParts) specField(s *scanner, key []byte) (err *Error) {
	switch string(key) {
	case "nodeName":
		p.nodeName = p.nodeName[:0]
		var none bool
		if none, err = s.null(); err == nil && !none {
			var name []byte
			name, err = s.string()
			p.nodeName = append(p.nodeName, name...)
		}
	case "containers":
		p.containers = 0
		err = s.elements(func(int) *Error {
			p.containers++
			return s.skip(3)
		})
	default:
		err = s.skip(2)
	}
	return err
}

func (p *podParts) statusField(s *scanner, key []byte) (err *Error) {
	switch string(key) {
	case "startTime":
		p.started, _, err = s.seconds()
	case "conditions":
		err = s.elements(func(int) *Error { return p.condition(s) })
	case "initContainerStatuses":
		err = s.elements(func(int) *Error { return p.life.container(s, false) })
	case "containerStatuses":
		err = s.elements(func(int) *Error { return p.life.container(s, true) })
	default:
		err = s.skip(2)
	}
	return err
}

func (p *podParts) condition(s *scanner) *Error {
	var scheduled, holds bool
	var since int64
	err := s.fields(func(key []byte) (err *Error) {
		switch string(key) {
		case "type":
			scheduled, err = s.is(string(corev1.PodScheduled))
		case "status":
			holds, err = s.is(string(corev1.ConditionTrue))
		case "lastTransitionTime":
			since, _, err = s.seconds()
		default:
			err = s.skip(4)
		}
		return err
	})
	if scheduled && holds {
		p.scheduled = since
	}
	return err
}

// is reads a string or null, and reports whether it equals the text.
func (s *scanner) is(text string) (bool, *Error) {
	if none, err := s.null(); none || err != nil {
		return false, err
	}
	got, err := s.string()
	return string(got) == text, err
}
