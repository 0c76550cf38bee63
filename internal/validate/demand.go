package validate

import (
	"slices"
	"strings"

	"github.com/tinylib/msgp/msgp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	podrequests "k8s.io/component-helpers/resource"

	"simkube.io/simkube/internal/nodes"
)

// demand holds the resource requests of a pod.
type demand struct {
	requests corev1.ResourceList
	// podLevel and overhead: a part comes from the pod's own fields.
	podLevel, overhead bool
	lists              [2]bool // containers and initContainers have requests
}

// piece is a part of a pod with requests: a map with requests and limits, or the overhead, a map of
// quantities.
type piece struct {
	kind pieceKind
	raw  []byte
}

type pieceKind byte

const (
	pieceContainer pieceKind = 'c'
	pieceInit      pieceKind = 'i'
	pieceSidecar   pieceKind = 's'
	piecePod       pieceKind = 'p'
	pieceOverhead  pieceKind = 'o'
)

func (r *factsReader) piece(kind pieceKind, value []byte) (rest []byte) {
	rest = skip(value)
	if raw := value[:len(value)-len(rest)]; !isEmpty(raw) {
		r.pieces = append(r.pieces, piece{kind, raw})
	}
	return rest
}

// demand returns the demand of the pieces, or nil if there are no requests. Pods with the same
// requests share it.
func (r *factsReader) demand() *demand {
	if len(r.pieces) == 0 {
		return nil
	}
	r.key = r.key[:0]
	for _, p := range r.pieces {
		r.key = append(append(r.key, byte(p.kind)), p.raw...)
	}
	if known, ok := r.demands[string(r.key)]; ok {
		return known
	}
	d := newDemand(r.pieces)
	r.demands[string(r.key)] = d
	return d
}

func newDemand(pieces []piece) *demand {
	d := &demand{}
	pod := &corev1.Pod{}
	always := corev1.ContainerRestartPolicyAlways
	for _, p := range pieces {
		if p.kind == pieceOverhead {
			d.overhead, pod.Spec.Overhead = true, readQuantities(p.raw)
			continue
		}
		resources := readResources(p.raw)
		container := corev1.Container{Resources: resources}
		switch p.kind {
		case pieceContainer:
			d.lists[0] = true
			pod.Spec.Containers = append(pod.Spec.Containers, container)
		case pieceSidecar:
			container.RestartPolicy = &always
			fallthrough
		case pieceInit:
			d.lists[1] = true
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, container)
		case piecePod:
			d.podLevel = true
			pod.Spec.Resources = &resources
		}
	}
	d.requests = podrequests.PodRequests(pod, podrequests.PodResourcesOptions{})
	return d
}

// readResources reads requests and limits. As in the API server, a missing request is set to the
// limit.
func readResources(raw []byte) corev1.ResourceRequirements {
	var out corev1.ResourceRequirements
	eachField(raw, func(key, value []byte) []byte {
		switch string(key) {
		case "requests":
			out.Requests = readQuantities(value)
		case "limits":
			out.Limits = readQuantities(value)
		}
		return skip(value)
	})
	for name, limit := range out.Limits {
		if _, ok := out.Requests[name]; !ok {
			if out.Requests == nil {
				out.Requests = corev1.ResourceList{}
			}
			out.Requests[name] = limit
		}
	}
	return out
}

// readQuantities reads quantities by resource. Invalid ones are left out.
func readQuantities(raw []byte) corev1.ResourceList {
	var out corev1.ResourceList
	eachField(raw, func(key, value []byte) []byte {
		rest := skip(value)
		if q, ok := readQuantity(value); ok {
			if out == nil {
				out = corev1.ResourceList{}
			}
			out[corev1.ResourceName(key)] = q
		}
		return rest
	})
	return out
}

func readQuantity(b []byte) (resource.Quantity, bool) {
	switch msgp.NextType(b) {
	case msgp.StrType:
		var text []byte
		readString(b, &text)
		return parseQuantity(text)
	case msgp.IntType, msgp.UintType:
		n, _, err := msgp.ReadInt64Bytes(b)
		return *resource.NewQuantity(n, resource.DecimalSI), err == nil
	}
	return resource.Quantity{}, false
}

func parseQuantity(text []byte) (resource.Quantity, bool) {
	q, err := nodes.ParseQuantity(string(text))
	return q, err == nil
}

// sortedResources returns the sorted names in a list of quantities.
func sortedResources(list corev1.ResourceList) []corev1.ResourceName {
	names := make([]corev1.ResourceName, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b corev1.ResourceName) int { return strings.Compare(string(a), string(b)) })
	return names
}
