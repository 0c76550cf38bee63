package results

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

// AllGPUs names the GPUs of all vendors together: the extended resources whose name ends in "/gpu"
// (nvidia.com/gpu, amd.com/gpu, ...). Each of them is also a resource under its own name.
const AllGPUs = "gpus"

// Resources that have the same number in every table.
const (
	numberCPU = iota
	numberMemory
	numberPods
	numberGPUs // all of them, see AllGPUs
	fixedNumbers
)

// ResourceUnit is the unit in which amounts of a resource are published.
type ResourceUnit struct {
	// Name is the plural: cores, GiB; or the name of the resource itself if it is counted.
	Name string
	// Size is the unit as an amount in the rows: 1000 millicores, 2^30 bytes.
	Size float64
}

// Hours returns the plural of the unit times hours: core-hours, GiB-hours.
func (u ResourceUnit) Hours() string { return strings.TrimSuffix(u.Name, "s") + "-hours" }

// UnitOf returns the unit of a resource. CPU is in cores and bytes (memory, ephemeral-storage, huge
// pages) are in GiB; everything else is counted.
func UnitOf(resource string) ResourceUnit {
	switch {
	case resource == string(corev1.ResourceCPU):
		return ResourceUnit{Name: "cores", Size: 1000}
	case IsBytes(resource):
		return ResourceUnit{Name: "GiB", Size: 1 << 30}
	case resource == AllGPUs:
		return ResourceUnit{Name: "GPUs", Size: 1}
	}
	return ResourceUnit{Name: resource, Size: 1}
}

// IsBytes reports whether amounts of a resource are bytes.
func IsBytes(resource string) bool {
	switch corev1.ResourceName(resource) {
	case corev1.ResourceMemory, corev1.ResourceEphemeralStorage, corev1.ResourceStorage:
		return true
	}
	return strings.HasPrefix(resource, corev1.ResourceHugePagesPrefix)
}

// IsGPU reports whether a resource counts GPUs.
func IsGPU(resource string) bool { return strings.HasSuffix(resource, "/gpu") }

// CompareResources orders the names of resources: cpu, memory, pods, then the others by name.
func CompareResources(a, b string) int {
	rank := func(name string) int {
		i := slices.Index([]string{string(corev1.ResourceCPU), string(corev1.ResourceMemory), string(corev1.ResourcePods)}, name)
		if i < 0 {
			return fixedNumbers
		}
		return i
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

// amounts are quantities of resources by their number in a resourceTable: millicores of CPU, bytes,
// or a count. Resources beyond its end are zero.
type amounts []int64

func (a amounts) at(number int) int64 {
	if number >= len(a) {
		return 0
	}
	return a[number]
}

// grow makes room for as many resources as b has.
func (a *amounts) grow(b amounts) {
	if n := len(b) - len(*a); n > 0 {
		*a = append(*a, make(amounts, n)...)
	}
}

func (a *amounts) add(b amounts) {
	a.grow(b)
	for i, v := range b {
		(*a)[i] += v
	}
}

func (a *amounts) sub(b amounts) {
	a.grow(b)
	for i, v := range b {
		(*a)[i] -= v
	}
}

// resourceTable numbers resources, and keeps one copy of amounts that many pods or nodes share.
type resourceTable struct {
	names   []string
	numbers map[string]int
	kept    map[string]amounts
}

func newResourceTable() resourceTable {
	t := resourceTable{numbers: map[string]int{}, kept: map[string]amounts{}}
	for _, name := range []string{string(corev1.ResourceCPU), string(corev1.ResourceMemory), string(corev1.ResourcePods), AllGPUs} {
		t.number(name)
	}
	return t
}

func (t *resourceTable) number(name string) int {
	number, ok := t.numbers[name]
	if !ok {
		number = len(t.names)
		name = strings.Clone(name)
		t.names = append(t.names, name)
		t.numbers[name] = number
	}
	return number
}

// requestsOf returns the requests of a pod as the scheduler computes them, and one for the pod
// itself.
func (t *resourceTable) requestsOf(pod *corev1.Pod) amounts {
	a := t.of(resource.PodRequests(pod, resource.PodResourcesOptions{}))
	a[numberPods] = 1
	return t.keep(a)
}

// allocatableOf returns what a node can allocate to pods.
func (t *resourceTable) allocatableOf(node *corev1.Node) amounts {
	return t.keep(t.of(node.Status.Allocatable))
}

func (t *resourceTable) of(list corev1.ResourceList) amounts {
	a := make(amounts, fixedNumbers)
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		value := q.Value()
		switch {
		case value == 0:
			continue
		case name == corev1.ResourceCPU:
			value = q.MilliValue()
		case string(name) == AllGPUs:
			continue // not a name that Kubernetes allows for a resource of a node
		case IsGPU(string(name)):
			a[numberGPUs] += value
		}
		number := t.number(string(name))
		if n := number + 1 - len(a); n > 0 {
			a = append(a, make(amounts, n)...)
		}
		a[number] = value
	}
	return a
}

func (t *resourceTable) keep(a amounts) amounts {
	var key []byte
	for _, v := range a {
		key = binary.AppendVarint(key, v)
	}
	kept, ok := t.kept[string(key)]
	if !ok {
		kept = slices.Clip(a)
		t.kept[string(key)] = kept
	}
	return kept
}

// others returns the numbers of resources that have no columns in the rows, ordered by name. It
// leaves out AllGPUs.
func (t *resourceTable) others() []int {
	var numbers []int
	for number := fixedNumbers; number < len(t.names); number++ {
		numbers = append(numbers, number)
	}
	slices.SortFunc(numbers, func(a, b int) int { return strings.Compare(t.names[a], t.names[b]) })
	return numbers
}

// requested returns the amounts that have no columns in the row of a pod.
func (t *resourceTable) requested(a amounts, others []int) []PodResource {
	var out []PodResource
	for _, number := range others {
		if v := a.at(number); v != 0 {
			out = append(out, PodResource{Resource: t.names[number], Requested: v})
		}
	}
	return out
}

// raise returns the maximum of to and a, by name, for resources that have no keys of their own in
// the summary.
func (t *resourceTable) raise(to map[string]int64, a amounts) map[string]int64 {
	for number := fixedNumbers; number < len(a); number++ {
		if a[number] == 0 {
			continue
		}
		if to == nil {
			to = map[string]int64{}
		}
		to[t.names[number]] = max(to[t.names[number]], a[number])
	}
	return to
}
