package validate

import (
	"fmt"
	"strconv"

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
	w := harmfulWalk{counts: countsPods(object.GVK().Group)}
	eachField(object.Raw(), func(key, value []byte) []byte {
		switch string(key) {
		case "apiVersion", "kind", "metadata":
			return skip(value)
		}
		return w.field(value, place{}, key)
	})
	return w.found
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

// place is a place in an object.
type place struct {
	path, pattern string
	// field is the name of the innermost field.
	field string
	// unwritable means that SKEL cannot express the path.
	unwritable bool
}

func (p place) down(field string) place {
	dot := ""
	if p.path != "" {
		dot = "."
	}
	part := dot + pathPart(field)
	return place{p.path + part, p.pattern + part, field, p.unwritable || !isWritable(field)}
}

func (p place) at(i int) place {
	return place{p.path + "[" + strconv.Itoa(i) + "]", p.pattern + "[*]", p.field, p.unwritable}
}

type harmfulWalk struct {
	counts bool
	found  []HarmfulValue
}

// field checks the value of a field. For a scalar, the path is only built if there is a problem.
func (w *harmfulWalk) field(b []byte, parent place, key []byte) (rest []byte) {
	switch msgp.NextType(b) {
	case msgp.MapType, msgp.ArrayType:
		return w.value(b, parent.down(string(key)))
	case msgp.StrType:
		var text []byte
		rest = readString(b, &text)
		if !nodes.IsQuantity(string(text)) && (holdsQuantities(parent.field) || isQuantity(string(key))) && looksLikeQuantity(text) {
			w.add(parent.down(string(key)), fmt.Errorf("%q is not a valid quantity: its exponent or its length is too large", words.ClipBytes(string(text), maxShown)))
		}
		return rest
	case msgp.IntType, msgp.UintType:
		if !w.counts || !isCount(string(key)) {
			return skip(b)
		}
		n, rest, err := msgp.ReadInt64Bytes(b)
		switch {
		case err != nil: // larger than any
			w.add(parent.down(string(key)), fmt.Errorf("it is more than %d pods, the maximum", maxCount))
			return skip(b)
		case n < 0:
			w.add(parent.down(string(key)), fmt.Errorf("%d is negative", n))
		case n > maxCount:
			w.add(parent.down(string(key)), fmt.Errorf("%d is more than %d pods, the maximum", n, maxCount))
		}
		return rest
	}
	return skip(b)
}

func (w *harmfulWalk) value(b []byte, at place) (rest []byte) {
	switch msgp.NextType(b) {
	case msgp.MapType:
		return eachField(b, func(key, value []byte) []byte { return w.field(value, at, key) })
	case msgp.ArrayType:
		return eachElement(b, func(i int, value []byte) []byte { return w.value(value, at.at(i)) })
	}
	return skip(b)
}

func (w *harmfulWalk) add(at place, reason error) {
	if at.unwritable {
		at.pattern = ""
	}
	w.found = append(w.found, HarmfulValue{at.path, reason.Error(), at.pattern})
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
