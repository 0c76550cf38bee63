package manifest

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// form is the encoding of a value that is replaced by a token.
type form uint8

const (
	// formNone means that the value is kept.
	formNone form = iota
	// formText means that the value and the token are text.
	formText
	// formBase64 means that the value and the token are in base64.
	formBase64
)

// plan describes what is done with a value and the values in it. A nil plan keeps everything. Plans
// are immutable once they are complete.
type plan struct {
	// drop omits the value together with its key.
	drop bool
	// redact replaces the value.
	redact form
	// keys are the plans for the values of a map by key, any is for the other keys.
	keys []keyPlan
	any  *plan
	// elem is the plan for the elements of an array, index for those with a known index, which
	// includes the plan for all elements.
	elem  *plan
	index map[int]*plan
}

type keyPlan struct {
	key  string
	plan *plan
}

func (p *plan) at(key []byte) *plan {
	if p == nil {
		return nil
	}
	for i := range p.keys {
		if string(key) == p.keys[i].key {
			return p.keys[i].plan
		}
	}
	return p.any
}

// form returns how a value that begins with c is replaced. If the values of a map are replaced, a
// value that is not a map is, too.
func (p *plan) form(c byte) form {
	if p.redact == formNone && p.any != nil && c != '{' {
		return p.any.redact
	}
	return p.redact
}

func (p *plan) element(i int) *plan {
	if p == nil {
		return nil
	}
	if special, ok := p.index[i]; ok {
		return special
	}
	return p.elem
}

// under returns the plan for a key, which it adds if necessary.
func (p *plan) under(keys ...string) *plan {
	for _, key := range keys {
		next := p.at([]byte(key))
		if next == nil {
			next = &plan{}
			p.keys = append(p.keys, keyPlan{key, next})
		}
		p = next
	}
	return p
}

// each returns the plan for the elements of an array, which it adds if necessary.
func (p *plan) each() *plan {
	if p.elem == nil {
		p.elem = &plan{}
	}
	return p.elem
}

// sanitised returns the plan that applies to every object of a kind.
func sanitised(gvk schema.GroupVersionKind) *plan {
	root := &plan{}
	root.under("status").drop = true
	metadata := root.under("metadata")
	for _, key := range []string{
		"managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
	} {
		metadata.under(key).drop = true
	}
	for _, key := range []string{corev1.LastAppliedConfigAnnotation, "deployment.kubernetes.io/revision"} {
		metadata.under("annotations", key).drop = true
	}
	if gvk == corev1.SchemeGroupVersion.WithKind("Pod") {
		root.under("spec", "nodeName").drop = true
	}
	return root
}

// places returns the plans for the values that a path of a tracer config selects; see
// trace.ResolvePaths.
func (p *plan) places(path string) ([]*plan, error) {
	if path == "" {
		return []*plan{p}, nil
	}
	if path[0] != '/' {
		return nil, fmt.Errorf("invalid path %q: must be a JSON Pointer, which is empty or begins with a slash", path)
	}
	places := []*plan{p}
	for segment := range strings.SplitSeq(path[1:], "/") {
		var deeper []*plan
		for _, place := range places {
			deeper = append(deeper, place.segment(segment)...)
		}
		places = deeper
	}
	return places, nil
}

// segment returns the plans one segment further down a path. A number can be a key or an index,
// since the value is not known.
func (p *plan) segment(segment string) []*plan {
	if segment == "*" {
		all := []*plan{p.each()}
		for _, special := range p.index {
			all = append(all, special)
		}
		return all
	}
	found := []*plan{p.under(unescapePointer(segment))}
	if i, err := strconv.ParseUint(segment, 10, 31); err == nil && strconv.FormatUint(i, 10) == segment {
		if p.index == nil {
			p.index = map[int]*plan{}
		}
		if p.index[int(i)] == nil {
			p.index[int(i)] = p.elem.clone()
		}
		found = append(found, p.index[int(i)])
	}
	return found
}

// unescapePointer returns the key of a segment of a JSON Pointer.
func unescapePointer(segment string) string {
	return strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~")
}

func (p *plan) clone() *plan {
	if p == nil {
		return &plan{}
	}
	c := &plan{drop: p.drop, redact: p.redact}
	for _, k := range p.keys {
		c.keys = append(c.keys, keyPlan{k.key, k.plan.clone()})
	}
	if p.any != nil {
		c.any = p.any.clone()
	}
	if p.elem != nil {
		c.elem = p.elem.clone()
	}
	for i, special := range p.index {
		if c.index == nil {
			c.index = map[int]*plan{}
		}
		c.index[i] = special.clone()
	}
	return c
}
