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

// barePods are the bare pods that were applied and not deleted since. It is safe for concurrent
// use.
type barePods struct {
	// keep reports whether bodies are kept, from which clones are made.
	keep bool
	// tolerate reports whether admission adds the placement on simulated nodes to pods.
	tolerate bool
	seed     maphash.Seed

	mu   sync.Mutex
	pods map[objectKey]*barePod
}

type barePod struct {
	hash uint64
	body []byte
	// current is the name of the pod or of its last clone, clones the number of the last clone.
	current string
	clones  int
	// over reports whether the pod finished or was deleted by the trace. Then it is not rescheduled.
	over bool
}

func newBarePods(opts Options) *barePods {
	return &barePods{keep: opts.RescheduleInterruptedBarePods, tolerate: opts.Shared, seed: maphash.MakeSeed(), pods: map[objectKey]*barePod{}}
}

// applying returns what to apply for a pod, and the name to apply it to. A pod is recorded again
// when it is bound to a node; without its node it is unchanged, and is skipped. Other changes are
// applied to the current clone, with the toleration and the node selector that admission may have
// added, since they must not be removed.
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
		if b.tolerate {
			tolerate(object)
			child(child(object, "spec"), "nodeSelector")[simkubev1.LabelNodeType] = simkubev1.NodeTypeVirtual
		}
		rename(object, key, pod.current)
	})
	return pod.current, what, false, err
}

// applied sets the body of a pod that was applied.
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

// deleting returns the name of the pod to delete, which is not rescheduled from now on.
func (b *barePods) deleting(key objectKey, name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil {
		pod.over = true
		return pod.current
	}
	return name
}

// forget removes a pod that was deleted.
func (b *barePods) forget(key objectKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pods, key)
}

// forgetNamespace removes the pods of a namespace of the trace that was deleted.
func (b *barePods) forgetNamespace(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.pods, func(key objectKey, _ *barePod) bool { return key.namespace == name })
}

// found adds a pod, or a clone of it, that exists in the cluster. The clone with the highest number
// is the current one. The body may be unknown.
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

// known reports whether a pod was applied or found.
func (b *barePods) known(key objectKey) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pods[key] != nil
}

// names returns the names of the pods, or of their current clones.
func (b *barePods) names() map[objectKey]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := make(map[objectKey]string, len(b.pods))
	for key, pod := range b.pods {
		names[key] = pod.current
	}
	return names
}

// finished marks a pod that has finished.
func (b *barePods) finished(key objectKey, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil && pod.current == name {
		pod.over, pod.body = true, nil
	}
}

// clone returns the next clone of a pod that was interrupted, unless the pod is not to be
// rescheduled or was rescheduled already. It returns the same clone until cloned or taken is
// called.
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

// wanted reports whether clone would return a clone.
func (b *barePods) wanted(key objectKey, interrupted string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pods[key].wanted(interrupted)
}

func (p *barePod) wanted(interrupted string) bool {
	return p != nil && !p.over && p.current == interrupted && p.body != nil
}

// cloned sets the current clone, which was created.
func (b *barePods) cloned(key objectKey, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil {
		pod.current, pod.clones = name, cloneNumber(key, name)
	}
}

// taken skips the name of a clone, which another object has.
func (b *barePods) taken(key objectKey, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pod := b.pods[key]; pod != nil {
		pod.clones = max(pod.clones, cloneNumber(key, name))
	}
}

func cloneName(key objectKey, number int) string { return fmt.Sprintf("%s-clone-%d", key.name, number) }

// cloneNumber is the inverse of cloneName. It returns 0 for the pod itself.
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

// rename turns the manifest of a pod into that of its clone.
func rename(object map[string]any, key objectKey, name string) {
	if name == key.name {
		return
	}
	metadata := child(object, "metadata")
	metadata["name"] = name
	child(metadata, "annotations")[simkubev1.AnnotationOriginalOwner] = trace.NamespacedName(key.namespace, key.name)
}

// tolerate adds the toleration of simulated nodes to a pod's spec, unless it is there: the trace
// may be a recording of a simulation.
func tolerate(object map[string]any) {
	toleration := mutate.Toleration()
	spec := child(object, "spec")
	list, _ := spec["tolerations"].([]any)
	wanted := map[string]any{"key": toleration.Key, "operator": string(toleration.Operator), "effect": string(toleration.Effect)}
	if !slices.ContainsFunc(list, func(t any) bool { return reflect.DeepEqual(t, any(wanted)) }) {
		spec["tolerations"] = append(list, wanted)
	}
}
