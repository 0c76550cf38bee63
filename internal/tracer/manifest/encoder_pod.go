package manifest

import "github.com/tinylib/msgp/msgp"

// podReader reads the Pod of an object while it is encoded. Its errors are not those of encoding.
type podReader struct {
	podParts
	head Head
	// failed is whether a field of the Pod is invalid, done whether the object was encoded.
	failed, done bool
}

func (p *podReader) reset() {
	if p != nil {
		*p = podReader{podParts: podParts{nodeName: p.nodeName[:0]}}
	}
}

// Pod returns what [ParsePod] returns for the object of the latest Encode. ok is false if it was
// not a v1.Pod, if Encode failed, or if ParsePod would. The Head's Owners are valid until the next
// Encode.
func (e *Encoder) Pod() (pod Pod, ok bool) {
	if e.pod == nil || !e.pod.done || e.pod.failed {
		return Pod{}, false
	}
	return e.pod.pod(e.pod.head), true
}

// podStatus reads the status of a pod, which is not encoded.
func (e *Encoder) podStatus() *Error {
	start := e.pos
	if e.fields(func(key []byte) *Error { return e.pod.statusField(&e.scanner, key) }) == nil {
		return nil
	}
	e.pod.failed, e.pos = true, start
	return e.skip(1)
}

// podSpec writes the spec of a pod.
func (e *Encoder) podSpec(p *plan) *Error {
	if c := e.peek(); c != '{' || p.form(c) != formNone {
		e.pod.failed = e.pod.failed || c != 'n'
		return e.value(p, 1)
	}
	m, err := e.startMap(1)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := e.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		at := p.at(key)
		isContainers := string(key) == "containers"
		m.key(&e.writer, key)
		if string(key) == "nodeName" {
			start := e.pos
			if e.pod.specField(&e.scanner, key) != nil {
				e.pod.failed = true
			}
			e.pos = start
		}
		if at != nil && at.drop {
			m.cut(&e.writer)
			if err := e.skip(2); err != nil {
				return err
			}
			continue
		}
		if err := e.value(at, 2); err != nil {
			return err
		}
		if isContainers {
			e.countContainers(e.out[m.next.keyEnd:])
		}
		m.done(&e.writer)
	}
	m.end(&e.writer)
	return nil
}

// countContainers counts the containers in msgpack.
func (e *Encoder) countContainers(list []byte) {
	e.pod.containers = 0
	if msgp.IsNil(list) {
		return
	}
	n, _, err := msgp.ReadArrayHeaderBytes(list)
	e.pod.failed = e.pod.failed || err != nil
	e.pod.containers = int(n)
}
