package validate

import (
	"fmt"
	"strings"

	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// maxCount is more than the number of pods in any cluster: Kubernetes supports 150,000. Controllers
// would create pods until the memory is exhausted.
const maxCount = 1_000_000

// maxShown is the maximum number of bytes of a value in a message.
const maxShown = 40

// HarmfulValue is a value that a control plane cannot handle.
type HarmfulValue struct {
	// Path is the path of the value, such as "spec.replicas".
	Path string
	// Reason contains the value and what is wrong with it.
	Reason string
	// pattern is the path in SKEL, with a * for each index; empty if SKEL cannot express it.
	pattern string
}

// FindHarmfulValues returns the values of an object that would keep a control plane busy forever,
// exhaust its memory, or are invalid for every object: quantities with extreme exponents, and
// numbers of pods below 0 or above a million.
func FindHarmfulValues(object *trace.Object) []HarmfulValue {
	var w harmfulWalk
	return w.find(object)
}

// countsPods reports whether the replicas in the objects of an API group are pods that Kubernetes
// itself creates.
func countsPods(group string) bool {
	switch group {
	case "", "apps", "batch", "autoscaling":
		return true
	}
	return false
}

// holdsQuantities reports whether a field with this name is a map of quantities by resource.
func holdsQuantities(field string) bool {
	switch field {
	case "requests", "limits", "overhead", "podFixed", "hard", "used", "capacity", "allocatable", "allocatedResources",
		"default", "defaultRequest", "min", "max", "maxLimitRequestRatio", "target":
		return true
	}
	return false
}

// isQuantity reports whether a field with this name is always a quantity.
func isQuantity(field string) bool {
	switch field {
	case "sizeLimit", "divisor", "averageValue", "targetAverageValue", "targetValue":
		return true
	}
	return false
}

// isCount reports whether a field with this name is a number of pods.
func isCount(field string) bool {
	switch field {
	case "replicas", "parallelism", "completions", "minReplicas", "maxReplicas":
		return true
	}
	return false
}

// harmfulWalk goes through the values of an object. The path of a value is only built if it is
// harmful.
type harmfulWalk struct {
	counts bool
	// steps lead from the object to what is walked through.
	steps []walkStep
	found []HarmfulValue
}

// find returns the harmful values of an object. The walk can be used again.
func (w *harmfulWalk) find(object *trace.Object) []HarmfulValue {
	w.counts, w.steps, w.found = countsPods(object.GVK().Group), w.steps[:0], nil
	eachField(object.Raw(), func(key, value []byte) []byte {
		switch string(key) {
		case "apiVersion", "kind", "metadata":
			return skip(value)
		}
		return w.field(value, key)
	})
	return w.found
}

// walkStep is a field, or an element of a list if field is nil.
type walkStep struct {
	field []byte
	index int
}

// field checks the value of a field.
func (w *harmfulWalk) field(b, key []byte) (rest []byte) {
	switch msgp.NextType(b) {
	case msgp.MapType, msgp.ArrayType:
		return w.value(b, walkStep{field: key})
	case msgp.StrType:
		var text []byte
		rest = readString(b, &text)
		if looksLikeQuantity(text) && (holdsQuantities(string(w.name())) || isQuantity(string(key))) && !nodes.IsQuantity(string(text)) {
			w.add(key, fmt.Errorf("%q is not a valid quantity: its exponent or its length is too large", words.ClipBytes(string(text), maxShown)))
		}
		return rest
	case msgp.IntType, msgp.UintType:
		if !w.counts || !isCount(string(key)) {
			return skip(b)
		}
		n, rest, err := msgp.ReadInt64Bytes(b)
		switch {
		case err != nil: // larger than any
			w.add(key, fmt.Errorf("it is more than %d pods, the maximum", maxCount))
			return skip(b)
		case n < 0:
			w.add(key, fmt.Errorf("%d is negative", n))
		case n > maxCount:
			w.add(key, fmt.Errorf("%d is more than %d pods, the maximum", n, maxCount))
		}
		return rest
	}
	return skip(b)
}

// value checks what is in the map or the list that a step leads to. An element of a list that is a
// scalar is never harmful.
func (w *harmfulWalk) value(b []byte, step walkStep) (rest []byte) {
	w.steps = append(w.steps, step)
	switch msgp.NextType(b) {
	case msgp.MapType:
		rest = eachField(b, func(key, value []byte) []byte { return w.field(value, key) })
	case msgp.ArrayType:
		rest = eachElement(b, func(i int, value []byte) []byte { return w.value(value, walkStep{index: i}) })
	default:
		rest = skip(b)
	}
	w.steps = w.steps[:len(w.steps)-1]
	return rest
}

// name returns the name of the innermost field that is walked through.
func (w *harmfulWalk) name() []byte {
	for i := len(w.steps) - 1; i >= 0; i-- {
		if w.steps[i].field != nil {
			return w.steps[i].field
		}
	}
	return nil
}

// add adds a field of what is walked through.
func (w *harmfulWalk) add(key []byte, reason error) {
	var path, pattern strings.Builder
	writable := true
	for _, step := range append(w.steps, walkStep{field: key}) {
		if step.field == nil {
			fmt.Fprintf(&path, "[%d]", step.index)
			pattern.WriteString("[*]")
			continue
		}
		part := pathPart(string(step.field))
		if path.Len() > 0 {
			part = "." + part
		}
		path.WriteString(part)
		pattern.WriteString(part)
		writable = writable && isWritable(string(step.field))
	}
	value := HarmfulValue{Path: path.String(), Reason: reason.Error()}
	if writable {
		value.pattern = pattern.String()
	}
	w.found = append(w.found, value)
}

// looksLikeQuantity reports whether a text starts like a quantity. Other texts are rejected early
// by every parser.
func looksLikeQuantity(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	c := text[0]
	return c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'
}
