package manifest

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/trace"
)

// PodHash gives the pod hash (see [trace.HashPodSpec]) of a pod's JSON, as it is after redaction; nil redacts nothing.
func PodHash(json []byte, r *Redactor) (uint64, error) {
	var p *plan
	if r != nil {
		p = r.pod
	}
	w := writer{tokens: r.tokenizer()}
	w.reset(json)
	if err := w.spec(p.at([]byte("spec"))); err != nil {
		return 0, err
	}
	var spec map[string]any
	if len(w.out) > 0 {
		value, _, err := msgp.ReadIntfBytes(w.out)
		if err != nil {
			return 0, fmt.Errorf("read a pod's spec: %w", err)
		}
		spec, _ = value.(map[string]any)
	}
	return trace.HashPodSpec(spec)
}

// spec writes the spec of an object and nothing else; nothing at all if it has none.
func (w *writer) spec(p *plan) *Error {
	if err := w.open('{', "an object"); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := w.key(first)
		if err != nil {
			return err
		}
		if !more {
			return w.end()
		}
		if string(key) != "spec" {
			err = w.skip(1)
		} else {
			w.out = w.out[:0]
			if c := w.peek(); c != '{' && c != 'n' {
				return w.want("an object")
			}
			err = w.value(p, 1)
		}
		if err != nil {
			return err
		}
	}
}
