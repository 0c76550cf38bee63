package skel

import (
	"errors"
	"fmt"
	"slices"

	"simkube.io/simkube/trace"
)

// tail makes the tail of the trace consistent with the events of the output.
func (r *run) tail(tail *trace.Tail) error {
	h := r.history
	index(tail, h)
	if h.traits.Tracks() {
		tail.Lifecycles = h.lifecycles(tail.Lifecycles)
	}
	return h.extension(tail)
}

// index updates the index: objects without a manifest are removed, and changed ones get their new
// hash.
func index(tail *trace.Tail, h *objectHistory) {
	for key := range h.sources {
		if _, there := h.results[key]; there {
			continue
		}
		names := tail.Index[key.gvk]
		delete(names, trace.NamespacedName(key.namespace, key.name))
		if len(names) == 0 {
			delete(tail.Index, key.gvk)
		}
	}
	for key, result := range h.results {
		if !result.known {
			continue
		}
		if tail.Index == nil {
			tail.Index = trace.Index{}
		}
		if tail.Index[key.gvk] == nil {
			tail.Index[key.gvk] = map[string]uint64{}
		}
		tail.Index[key.gvk][trace.NamespacedName(key.namespace, key.name)] = result.manifestHash()
	}
}

// ownerKey returns the key of an owner of pods.
func ownerKey(owner trace.PodOwner) objectKey {
	namespace, name := trace.SplitNamespacedName(owner.Name)
	return objectKey{owner.GVK, namespace, name}
}

func (k objectKey) owner() trace.PodOwner {
	return trace.PodOwner{GVK: k.gvk, Name: trace.NamespacedName(k.namespace, k.name)}
}

// lifecycles assigns the lifecycles to the objects that their owners became.
func (h *objectHistory) lifecycles(in trace.Lifecycles) trace.Lifecycles {
	out := trace.Lifecycles{}
	for owner, pods := range in {
		s := h.sources[ownerKey(owner)]
		if s == nil {
			merge(out, owner, pods)
			continue
		}
		if shift := s.commonShift(); shift != 0 {
			pods = shifted(pods, shift)
		}
		for _, key := range s.all {
			merge(out, key.owner(), pods)
		}
	}
	return out
}

// commonShift returns the shift of all manifests of a source, or 0 if they were moved by different
// amounts.
func (s *source) commonShift() int64 {
	if s.mixed {
		return 0
	}
	return s.shift
}

func merge(out trace.Lifecycles, owner trace.PodOwner, pods map[uint64][]trace.Lifecycle) {
	there := out[owner]
	if there == nil {
		out[owner] = pods
		return
	}
	// The existing map may belong to another owner, too.
	both := map[uint64][]trace.Lifecycle{}
	for _, some := range []map[uint64][]trace.Lifecycle{there, pods} {
		for hash, list := range some {
			both[hash] = slices.Concat(both[hash], list)
		}
	}
	out[owner] = both
}

func shifted(pods map[uint64][]trace.Lifecycle, shift int64) map[uint64][]trace.Lifecycle {
	out := map[uint64][]trace.Lifecycle{}
	for hash, list := range pods {
		list = slices.Clone(list)
		for i := range list {
			if list[i].State >= trace.Running {
				list[i].Start += shift
			}
			if list[i].State == trace.Finished {
				list[i].End += shift
			}
		}
		out[hash] = list
	}
	return out
}

// extension makes the extension consistent with the events.
func (h *objectHistory) extension(tail *trace.Tail) error {
	if tail.Extension == nil || !h.traits.Tracks() && !h.regrouped {
		return nil
	}
	x, err := trace.ParseExtension(tail.Extension)
	if errors.Is(err, trace.ErrExtensionVersion) {
		// An extension of an unknown version may refer to events that were removed.
		tail.Extension = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read x-simkube: %w", err)
	}
	if h.regrouped {
		x.EventTimes = nil
	} else {
		x.EventTimes = h.eventTimes(x.EventTimes)
	}
	x.Pods = h.pods(x.Pods)
	tail.Extension, err = x.Encode()
	return err
}

// eventTimes removes the times of dropped objects.
func (h *objectHistory) eventTimes(in [][]uint16) [][]uint16 {
	out := in[:0]
	dropped := h.drops.read()
	for i, times := range in {
		if dropped.event != i {
			out = append(out, times)
			continue
		}
		if dropped.objects != len(times) {
			return nil // it was already invalid
		}
		left := times[:0]
		for j := range times {
			if dropped.kept(j) {
				left = append(left, times[j])
			}
		}
		dropped.next()
		if len(left) > 0 {
			out = append(out, left)
		}
	}
	return out
}

// millis is the number of milliseconds per second.
const millis = 1000

// pods assigns the pods to the objects that their owners became.
func (h *objectHistory) pods(in []trace.PodTimes) []trace.PodTimes {
	var out []trace.PodTimes
	for _, pod := range in {
		key := ownerKey(pod.Owner)
		s := h.sources[key]
		if s == nil {
			out = append(out, pod)
			continue
		}
		if len(s.all) == 0 {
			continue
		}
		// A copy has no recorded pods.
		owner := s.all[0]
		if slices.Contains(s.all, key) {
			owner = key
		}
		if pod.Namespace == key.namespace {
			pod.Namespace = owner.namespace
		}
		if key.gvk.Kind == "Pod" && pod.Name == key.name {
			pod.Name = owner.name
		}
		pod.Owner = owner.owner()
		move(&pod, s.commonShift()*millis)
		out = append(out, pod)
	}
	return out
}

func move(pod *trace.PodTimes, by int64) {
	for _, t := range []*int64{&pod.Created, &pod.Scheduled, &pod.Started, &pod.Finished, &pod.Deleted} {
		if *t != 0 {
			*t += by
		}
	}
}
