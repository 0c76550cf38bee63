package manifest

import (
	"fmt"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/trace"
)

// PodHash returns the pod hash (see [trace.HashPodSpec]) of a pod's JSON after redaction; a nil
// Redactor redacts nothing.
func PodHash(json []byte, r *Redactor) (uint64, error) {
	var p *plan
	if r != nil {
		p = r.pod
	}
	w := writer{
		tokens: r.tokenizer(), out: make([]byte, 0, len(json)), entries: make([]entry, 0, 2*manyEntries), sorted: make([]byte, 0, len(json)/2),
	}
	w.reset(json)
	if err := w.hashed(p.at([]byte("spec"))); err != nil {
		return 0, err
	}
	object, err := trace.ParseObject(w.out)
	if err != nil {
		return 0, fmt.Errorf("hash a pod: %w", err)
	}
	return object.Hash(), nil
}

// hashed writes an object whose manifest hash is the pod hash: its spec is the hashed part of the
// pod's spec, and it has nothing else of the pod.
func (w *writer) hashed(p *plan) *Error {
	w.out = msgp.AppendMapHeader(w.out, 4)
	for _, text := range []string{"apiVersion", "v1", "kind", "Pod", "metadata"} {
		w.out = msgp.AppendString(w.out, text)
	}
	w.out = msgp.AppendMapHeader(w.out, 1)
	for _, text := range []string{"name", "x", "spec"} {
		w.out = msgp.AppendString(w.out, text)
	}
	before := len(w.out)
	if err := w.open('{', "an object"); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := w.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if string(key) != "spec" {
			err = w.skip(1)
		} else {
			w.out = w.out[:before] // of duplicate keys, the last one counts
			err = w.stableSpec(p)
		}
		if err != nil {
			return err
		}
	}
	if len(w.out) == before {
		w.noSpec()
	}
	return w.end()
}

// noSpec writes the hashed part of a pod without a spec.
func (w *writer) noSpec() {
	m := w.newMap()
	m.emptyList(w, "volumes")
	m.end(w)
}

// emptyList writes an entry for a missing list.
func (m *mapWriter) emptyList(w *writer, key string) {
	m.key(w, []byte(key))
	w.out = msgp.AppendArrayHeader(w.out, 0)
	m.done(w)
}

// stableSpec writes the hashed part of a pod's spec.
func (w *writer) stableSpec(p *plan) *Error {
	if none, err := w.null(); none || err != nil {
		w.noSpec()
		return err
	}
	m, err := w.startMap(1)
	if err != nil {
		return err
	}
	volumes := false
	for first := true; ; first = false {
		key, more, err := w.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		at := p.at(key)
		switch string(key) {
		case "nodeName", "serviceAccount", "serviceAccountName":
			if err := w.skip(2); err != nil {
				return err
			}
			continue
		case "volumes":
			volumes = true
			m.key(w, key)
			err = w.withoutTokens(2)
		case "containers":
			m.key(w, key)
			err = w.stableContainers(at, true)
		case "initContainers":
			m.key(w, key)
			err = w.stableContainers(at, false)
		default:
			m.key(w, key)
			err = w.value(at, 2)
		}
		if err != nil {
			return err
		}
		m.done(w)
	}
	if !volumes {
		m.emptyList(w, "volumes")
	}
	m.end(w)
	return nil
}

func (w *writer) stableContainers(p *plan, dropPorts bool) *Error {
	if w.peek() == 'n' {
		return w.value(nil, 2)
	}
	head := len(w.out)
	w.out = append(w.out, msgpackArray)
	n := 0
	err := w.elements(func(i int) *Error {
		n++
		return w.stableContainer(p.element(i), dropPorts)
	})
	if err == nil {
		w.header(head, n, msgpackArray, msgpackArray16, msgpackArray32)
	}
	return err
}

func (w *writer) stableContainer(p *plan, dropPorts bool) *Error {
	m, err := w.startMap(3)
	if err != nil {
		return err
	}
	mounts := false
	for first := true; ; first = false {
		key, more, err := w.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if dropPorts && string(key) == "ports" {
			if err := w.skip(4); err != nil {
				return err
			}
			continue
		}
		at := p.at(key)
		m.key(w, key)
		if string(key) == "volumeMounts" {
			mounts = true
			err = w.withoutTokens(4)
		} else {
			err = w.value(at, 4)
		}
		if err != nil {
			return err
		}
		m.done(w)
	}
	if !mounts {
		m.emptyList(w, "volumeMounts")
	}
	m.end(w)
	return nil
}

// withoutTokens writes a list of volumes or volume mounts without those of service account tokens;
// null becomes an empty list. depth is the number of maps and arrays around it.
func (w *writer) withoutTokens(depth int) *Error {
	head := len(w.out)
	w.out = append(w.out, msgpackArray)
	n := 0
	err := w.elements(func(int) *Error {
		start := len(w.out)
		if err := w.value(nil, depth+1); err != nil {
			return err
		}
		if isTokenVolume(w.out[start:]) {
			w.out = w.out[:start]
		} else {
			n++
		}
		return nil
	})
	if err == nil {
		w.header(head, n, msgpackArray, msgpackArray16, msgpackArray32)
	}
	return err
}

// isTokenVolume reports whether a volume or volume mount in msgpack is that of a service account
// token; see trace.HashPodSpec.
func isTokenVolume(b []byte) bool {
	if msgp.NextType(b) != msgp.MapType {
		return false
	}
	n, b, err := msgp.ReadMapHeaderBytes(b)
	for ; n > 0 && err == nil; n-- {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return false
		}
		if string(key) == "name" {
			name, _, err := msgp.ReadStringZC(b)
			return err == nil && strings.HasPrefix(string(name), "kube-api-access")
		}
		b, err = msgp.Skip(b)
	}
	return false
}
