package bigtrace

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// lifetime is how long objects of a kind exist.
type lifetime int

const (
	// permanent objects exist from the start and are changed repeatedly.
	permanent lifetime = iota
	// passing objects are created, changed twice and deleted.
	passing
	// brief objects are created, changed once and deleted.
	brief
)

// member is one object of the cluster with its current manifest. A manifest is encoded once. The
// parts that change have a fixed length, so that a change only overwrites some bytes.
type member struct {
	raw       []byte
	reference trace.Object
	lifetime  lifetime
	alive     bool
	// seen means that it was in an event.
	seen    bool
	stage   int
	created int64

	// The positions in raw that change: digits, and single bytes.
	releases, revisions, replicas, phases []int
	revision, release                     int

	hasPods bool
	owner   trace.PodOwner
	podHash uint64
}

// blueprint is the description of a member.
type blueprint struct {
	manifest map[string]any
	lifetime lifetime
	// podSpec is the part of the manifest that is the spec of its pods, if any.
	podSpec map[string]any
	// owner is the owner of its pods, if it is not the member itself.
	owner *trace.PodOwner
	// size is the minimum size in bytes.
	size int
}

// The placeholders for the parts of a manifest that change.
const (
	releaseMark  = "v0000000" // in the tag of an image
	revisionMark = "r0000000" // elsewhere
	markDigits   = 7
	// Phases of a pod with the same length.
	phasePending = "Pending"
	phaseRunning = "Running"
)

// The annotations: one has a different value in every manifest, the other pads it to its size.
const (
	revisionKey = "example.com/revision"
	filler      = "example.com/notes"
)

// build creates a member.
func build(b blueprint) (*member, error) {
	obj, err := encode(b)
	if err != nil {
		return nil, err
	}
	m := &member{raw: obj.Raw(), lifetime: b.lifetime}
	if m.reference, err = trace.NewDeleted(obj.GVK(), obj.NamespacedName()); err != nil {
		return nil, err
	}
	m.releases = places(m.raw, releaseMark, 1)
	m.revisions = places(m.raw, revisionMark, 1)
	m.phases = places(m.raw, phasePending, 0)
	m.replicas = append(places(m.raw, "\xa8replicas", len("\xa8replicas")), places(m.raw, "\xadreadyReplicas", len("\xadreadyReplicas"))...)
	if b.podSpec == nil {
		return m, nil
	}
	m.hasPods = true
	m.owner = trace.PodOwner{GVK: obj.GVK(), Name: obj.NamespacedName()}
	if b.owner != nil {
		m.owner = *b.owner
	}
	m.podHash, err = trace.HashPodSpec(b.podSpec)
	return m, err
}

// encode returns the manifest, padded to its size.
func encode(b blueprint) (trace.Object, error) {
	u := &unstructured.Unstructured{Object: b.manifest}
	obj, err := trace.NewObject(u)
	if err != nil {
		return trace.Object{}, err
	}
	missing := b.size - len(obj.Raw()) - len(filler) - 8
	if missing <= 0 {
		return obj, nil
	}
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[filler] = padding(missing)
	u.SetAnnotations(annotations)
	return trace.NewObject(u)
}

// padding returns a text of n bytes.
func padding(n int) string {
	const sentence = "Ask the team before changing this: the limits were found in last year's load test. "
	return string(bytes.Repeat([]byte(sentence), n/len(sentence)+1)[:n])
}

// places returns the positions of all occurrences of what in a manifest, plus on.
func places(raw []byte, what string, on int) (found []int) {
	for at := 0; ; {
		i := bytes.Index(raw[at:], []byte(what))
		if i < 0 {
			return found
		}
		found = append(found, at+i+on)
		at += i + len(what)
	}
}

// releaseChance is how many of 1000 changes bring a new image.
const releaseChance = 200

// lastStage returns the number of changes after which an object that does not last is deleted.
func (m *member) lastStage() int {
	if m.lifetime == passing {
		return 2
	}
	return 1
}

// change changes the manifest. Only lasting objects get new images: the pods of the others always
// have the same spec.
func (m *member) change(chance, replicas int) {
	if m.lifetime == permanent && chance < releaseChance {
		m.release++
		m.write(m.releases, m.release)
	}
	m.revision++
	m.write(m.revisions, m.revision)
	for _, at := range m.phases {
		copy(m.raw[at:], []string{phasePending, phaseRunning}[min(1, m.stage)])
	}
	for _, at := range m.replicas {
		m.raw[at] = byte(1 + replicas) // a small number is its own encoding
	}
}

func (m *member) write(places []int, number int) {
	digits := fmt.Appendf(nil, "%0*d", markDigits, number)
	for _, at := range places {
		copy(m.raw[at:at+markDigits], digits)
	}
}

func ownerOf(gvk schema.GroupVersionKind, namespace, name string) *trace.PodOwner {
	return &trace.PodOwner{GVK: gvk, Name: trace.NamespacedName(namespace, name)}
}
