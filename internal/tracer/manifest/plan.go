package manifest

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// form is how a value is replaced by a token.
type form uint8

const (
	// formNone keeps the value.
	formNone form = iota
	// formText: the value is text, and so is the token.
	formText
	// formBase64: the value is in base64, and so is the token.
	formBase64
)

// plan says what is done with a value and with those in it. A nil plan keeps all as it is. Plans are not changed once they are made.
type plan struct {
	// drop leaves the value out, key and all.
	drop bool
	// redact replaces the value.
	redact form
	// keys are for the values in a map, any for those that keys lacks.
	keys []keyPlan
	any  *plan
	// elem is for the elements of an array, index for those of which the index is known. Those are made of what is planned for all
	// elements, too.
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

// form tells how a value that begins with c is replaced. Where the values of a map are, so is what stands in the map's place.
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

// under gives the plan for a key, and makes it if needed.
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

// each gives the plan for the elements of an array, and makes it if needed.
func (p *plan) each() *plan {
	if p.elem == nil {
		p.elem = &plan{}
	}
	return p.elem
}

// sanitised is the plan that every object of a kind is under.
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

// places gives the plans for the places that a path of a tracer config leads to; see trace.ResolvePaths.
func (p *plan) places(path string) ([]*plan, error) {
	if path == "" {
		return []*plan{p}, nil
	}
	if path[0] != '/' {
		return nil, fmt.Errorf("path %q: want a JSON Pointer, which is empty or begins with a slash", path)
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

// segment gives the plans one segment of a path deeper. What stands there is not known: a number can be a key or an index.
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

// unescapePointer gives the key that a segment of a JSON Pointer stands for.
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
