package skel

import (
	"errors"
	"fmt"
	"slices"

	"simkube.io/simkube/trace"
)

// tail makes what stands after the events agree with the events that came out.
func (r *run) tail(tail *trace.Tail) error {
	l := r.ledger
	index(tail, l)
	if l.traits.Tracks() {
		tail.Lifecycles = l.lifecycles(tail.Lifecycles)
	}
	return l.extension(tail)
}

// index corrects the index: what has no manifest any more goes, and what has another one gets its hash.
func index(tail *trace.Tail, l *ledger) {
	for key := range l.sources {
		if _, there := l.results[key]; there {
			continue
		}
		names := tail.Index[key.gvk]
		delete(names, trace.NamespacedName(key.namespace, key.name))
		if len(names) == 0 {
			delete(tail.Index, key.gvk)
		}
	}
	for key, result := range l.results {
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

// ownerKey gives which object an owner of pods is.
func ownerKey(owner trace.PodOwner) objectKey {
	namespace, name := trace.SplitNamespacedName(owner.Name)
	return objectKey{owner.GVK, namespace, name}
}

func (k objectKey) owner() trace.PodOwner {
	return trace.PodOwner{GVK: k.gvk, Name: trace.NamespacedName(k.namespace, k.name)}
}

// lifecycles gives the lifecycles to those that their owners became.
func (l *ledger) lifecycles(in trace.Lifecycles) trace.Lifecycles {
	out := trace.Lifecycles{}
	for owner, pods := range in {
		s := l.sources[ownerKey(owner)]
		if s == nil {
			merge(out, owner, pods)
			continue
		}
		if shift := s.together(); shift != 0 {
			pods = shifted(pods, shift)
		}
		for _, key := range s.all {
			merge(out, key.owner(), pods)
		}
	}
	return out
}

// together gives by how much all manifests of a source were moved, and 0 where that is not the same for all of them.
func (s *source) together() int64 {
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
	// What is there may be another owner's too.
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

// extension makes what SimKube records beyond the format agree with the events.
func (l *ledger) extension(tail *trace.Tail) error {
	if tail.Extension == nil || !l.traits.Tracks() && !l.regrouped {
		return nil
	}
	x, err := trace.ParseExtension(tail.Extension)
	if errors.Is(err, trace.ErrExtensionVersion) {
		// Nobody here can tell what it says of the events that are gone.
		tail.Extension = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read x-simkube: %w", err)
	}
	if l.regrouped {
		x.EventTimes = nil
	} else {
		x.EventTimes = l.eventTimes(x.EventTimes)
	}
	x.Pods = l.pods(x.Pods)
	tail.Extension, err = x.Encode()
	return err
}

// eventTimes takes the times of objects that are gone out.
func (l *ledger) eventTimes(in [][]uint16) [][]uint16 {
	out := in[:0]
	dropped := l.drops.read()
	for i, times := range in {
		if dropped.event != i {
			out = append(out, times)
			continue
		}
		if dropped.objects != len(times) {
			return nil // it said nothing before, either
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

// millis is how many milliseconds a second has.
const millis = 1000

// pods gives the pods to those that their owners became.
func (l *ledger) pods(in []trace.PodTimes) []trace.PodTimes {
	var out []trace.PodTimes
	for _, pod := range in {
		key := ownerKey(pod.Owner)
		s := l.sources[key]
		if s == nil {
			out = append(out, pod)
			continue
		}
		if len(s.all) == 0 {
			continue
		}
		// A copy has had no pods that anybody saw.
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
		move(&pod, s.together()*millis)
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
