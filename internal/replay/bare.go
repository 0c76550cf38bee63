package replay

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/trace"
)

// barePods knows the bare pods that were applied and not deleted since: what they were made of, and which
// clone stands in for them now.
type barePods struct {
	// keep says that bodies are kept, to make clones of.
	keep bool
	seed maphash.Seed

	mu   sync.Mutex
	pods map[objectKey]*barePod
}

type barePod struct {
	hash uint64
	body []byte
	// current is the name of the pod itself or of its last clone, clones the number of that.
	current string
	clones  int
	// over says that it has come to its end, or that the trace deletes it: it is not started again.
	over bool
}

func newBarePods(keep bool) *barePods {
	return &barePods{keep: keep, seed: maphash.MakeSeed(), pods: map[objectKey]*barePod{}}
}

// applying says what is to be applied for a pod, and to which name. A pod is recorded again when it is bound to
// a node, and is the same as before without that: such a one is skipped. What else changes is
// applied to its clone, if there is one, and with the toleration that admission gave the pod, which may not
// be taken back.
func (b *barePods) applying(key objectKey, name string, body []byte) (to string, what []byte, skip bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	pod := b.pods[key]
	switch {
	case pod == nil:
		return name, body, false, nil
	case pod.hash == maphash.Bytes(b.seed, body):
		return pod.current, nil, true, nil
	}
	what, err = editPod(body, func(object map[string]any) {
		tolerate(object)
		rename(object, key, pod.current)
	})
	return pod.current, what, false, err
}

// applied notes what a pod was made of.
func (b *barePods) applied(key objectKey, name string, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	pod := b.pods[key]
	if pod == nil {
		pod = &barePod{}
		b.pods[key] = pod
	}
	pod.hash, pod.current = maphash.Bytes(b.seed, body), name
	if b.keep {
		pod.body = body
	}
}

// deleting gives the name of what is to be deleted for a pod, which is not started again from here on.
func (b *barePods) deleting(key objectKey, name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil {
		pod.over = true
		return pod.current
	}
	return name
}

// forget is called when a pod was deleted.
func (b *barePods) forget(key objectKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pods, key)
}

// forgetNamespace is called when a namespace of the trace was deleted.
func (b *barePods) forgetNamespace(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.pods, func(key objectKey, _ *barePod) bool { return key.namespace == name })
}

// found notes that a pod or a clone of it exists, which is the last of those that were found. What it was made of may
// not be known.
func (b *barePods) found(key objectKey, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	pod := b.pods[key]
	if pod == nil {
		pod = &barePod{}
		b.pods[key] = pod
	}
	if number := cloneNumber(key, name); number >= pod.clones {
		pod.current, pod.clones = name, number
	}
}

// known tells whether there is anything known of a pod.
func (b *barePods) known(key objectKey) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pods[key] != nil
}

// names gives the names of the pods, or of their last clones.
func (b *barePods) names() map[objectKey]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := make(map[objectKey]string, len(b.pods))
	for key, pod := range b.pods {
		names[key] = pod.current
	}
	return names
}

// finished notes that a pod came to its end.
func (b *barePods) finished(key objectKey, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil && pod.current == name {
		pod.over, pod.body = true, nil
	}
}

// clone gives the next clone of a pod which was interrupted under some name, unless it is not to be started
// again or was already. Until cloned or taken is called it is the same one.
func (b *barePods) clone(key objectKey, interrupted string) (name string, body []byte, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	pod := b.pods[key]
	if !pod.wanted(interrupted) {
		return "", nil, false, nil
	}
	name = cloneName(key, pod.clones+1)
	body, err = editPod(pod.body, func(object map[string]any) { rename(object, key, name) })
	return name, body, err == nil, err
}

// wanted tells whether clone would give a clone.
func (b *barePods) wanted(key objectKey, interrupted string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pods[key].wanted(interrupted)
}

func (p *barePod) wanted(interrupted string) bool {
	return p != nil && !p.over && p.current == interrupted && p.body != nil
}

// cloned notes that a clone was made.
func (b *barePods) cloned(key objectKey, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil {
		pod.current, pod.clones = name, cloneNumber(key, name)
	}
}

// taken notes that the name of a clone is that of something else.
func (b *barePods) taken(key objectKey, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil {
		pod.clones = max(pod.clones, cloneNumber(key, name))
	}
}

func cloneName(key objectKey, number int) string { return fmt.Sprintf("%s-clone-%d", key.name, number) }

// cloneNumber is the inverse of cloneName. That of the pod itself is 0.
func cloneNumber(key objectKey, name string) int {
	text, _ := strings.CutPrefix(name, key.name+"-clone-")
	if number, err := strconv.Atoi(text); err == nil && name == cloneName(key, number) {
		return number
	}
	return 0
}

func editPod(body []byte, edit func(map[string]any)) ([]byte, error) {
	var object map[string]any
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, fmt.Errorf("decode pod: %w", err)
	}
	edit(object)
	return json.Marshal(object)
}

// rename makes a pod's manifest that of its clone.
func rename(object map[string]any, key objectKey, name string) {
	if name == key.name {
		return
	}
	metadata := child(object, "metadata")
	metadata["name"] = name
	child(metadata, "annotations")[simkubev1.AnnotationOriginalOwner] = trace.NamespacedName(key.namespace, key.name)
}

// tolerate gives a pod's spec the toleration of simulated nodes, unless it has it: what is replayed may be a recording of a simulation.
func tolerate(object map[string]any) {
	toleration := mutate.Toleration()
	spec := child(object, "spec")
	list, _ := spec["tolerations"].([]any)
	wanted := map[string]any{"key": toleration.Key, "operator": string(toleration.Operator), "effect": string(toleration.Effect)}
	if !slices.ContainsFunc(list, func(t any) bool { return reflect.DeepEqual(t, any(wanted)) }) {
		spec["tolerations"] = append(list, wanted)
	}
}
