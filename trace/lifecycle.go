package trace

import (
	"strconv"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// LifecycleState is the state of a pod in a lifecycle.
type LifecycleState uint8

// The states of a pod's lifecycle, in the order in which a pod goes through them.
const (
	// Empty is the state of a pod that was not seen running.
	Empty LifecycleState = iota
	// Running is the state of a pod that had started but not finished when the trace was exported.
	Running
	// Finished is the state of a pod that started and finished.
	Finished
)

// String returns the name of the state as it is written in the format.
func (s LifecycleState) String() string {
	switch s {
	case Empty:
		return "Empty"
	case Running:
		return "Running"
	case Finished:
		return "Finished"
	}
	return "LifecycleState(" + strconv.Itoa(int(s)) + ")"
}

// Lifecycle is when a pod's containers ran, in unix seconds. Start is set unless the state is
// Empty. End is set only if it is Finished.
type Lifecycle struct {
	State      LifecycleState
	Start, End int64
}

// PodOwner is the owner of pods: the topmost tracked object, or the pod itself if it has no owner.
type PodOwner struct {
	GVK schema.GroupVersionKind
	// Name is the owner's namespaced name in the recorded cluster.
	Name string
}

// String returns the owner in readable form: "apps/v1.Deployment default/web".
func (o PodOwner) String() string { return FormatGVK(o.GVK) + " " + o.Name }

// Lifecycles holds the lifecycles of an owner's pods by pod hash (see [HashPodSpec]), in the order
// in which the pods were created.
type Lifecycles map[PodOwner]map[uint64][]Lifecycle

// lifecycleForm is the set of accepted encodings of a lifecycle.
type lifecycleForm int

const (
	lifecycleV2 lifecycleForm = iota
	// lifecycleV1 also accepts {start_ts, end_ts}.
	lifecycleV1
)

// podLifecycles reads the lifecycles of one owner's pods.
func (s *scanner) podLifecycles(form lifecycleForm) (map[uint64][]Lifecycle, *FormatError) {
	pods := map[uint64][]Lifecycle{}
	err := s.entries(func() *FormatError {
		pos := s.pos
		hash, _, err := s.number()
		if err != nil {
			return err.under("[key]")
		}
		key := func() string { return strconv.FormatUint(hash, 10) }
		if _, ok := pods[hash]; ok {
			return s.duplicate(pos, key())
		}
		n, err := s.arrayHeader()
		if err != nil {
			return err.in(key())
		}
		list := []Lifecycle{}
		for i := range n {
			l, err := s.lifecycle(form)
			if err != nil {
				return err.at(i).in(key())
			}
			list = append(list, l)
		}
		pods[hash] = list
		return nil
	})
	return pods, err
}

// lifecycle reads the string "Empty" or a map that encodes a lifecycle.
func (s *scanner) lifecycle(form lifecycleForm) (Lifecycle, *FormatError) {
	pos := s.pos
	c, err := s.peek()
	switch {
	case err != nil:
		return Lifecycle{}, err
	case describe(c) == "a string":
		state, err := s.text()
		if err == nil && state != Empty.String() {
			err = s.fail(pos, ErrValue, "want a lifecycle, got the string %.64q", state)
		}
		return Lifecycle{}, err
	case describe(c) != "a map":
		return Lifecycle{}, s.want(`a lifecycle, which is "Empty" or a map`, pos)
	}
	var running, finished, old Lifecycle
	err = s.fields(func(key []byte) (err *FormatError) {
		switch {
		case string(key) == "Running":
			running.State = Running
			running.Start, err = s.seconds()
		case string(key) == "Finished":
			finished.State = Finished
			finished.Start, finished.End, err = s.startAndEnd()
		case form == lifecycleV1 && string(key) == "start_ts":
			old.State = max(old.State, Running)
			old.Start, err = s.seconds()
		case form == lifecycleV1 && string(key) == "end_ts":
			var none bool
			if none, err = s.null(); err == nil && !none {
				old.State = Finished
				old.End, err = s.seconds()
			}
		default:
			err = s.skipAny(lifecycleDepth)
		}
		return err
	})
	return s.oneLifecycle(pos, err, running, finished, old)
}

// lifecycleDepth is the nesting depth of the fields of a lifecycle.
const lifecycleDepth = 5

// oneLifecycle returns the one encoding of a lifecycle that was found.
func (s *scanner) oneLifecycle(pos int, err *FormatError, spellings ...Lifecycle) (Lifecycle, *FormatError) {
	if err != nil {
		return Lifecycle{}, err
	}
	var found Lifecycle
	for _, l := range spellings {
		switch {
		case l.State == Empty:
		case found.State != Empty:
			return Lifecycle{}, s.fail(pos, ErrValue, "the lifecycle is both %s and %s", found.State, l.State)
		default:
			found = l
		}
	}
	if found.State == Empty {
		return Lifecycle{}, s.fail(pos, ErrMissingKey, `want a lifecycle: "Empty", {"Running": start} or {"Finished": [start, end]}`)
	}
	return found, nil
}

func (s *scanner) startAndEnd() (start, end int64, err *FormatError) {
	pos := s.pos
	n, err := s.arrayHeader()
	if err != nil {
		return 0, 0, err
	}
	if n != 2 {
		return 0, 0, s.fail(pos, ErrType, "want an array of a start and an end, got one of %d", n)
	}
	if start, err = s.seconds(); err != nil {
		return 0, 0, err.at(0)
	}
	if end, err = s.seconds(); err != nil {
		return 0, 0, err.at(1)
	}
	return start, end, nil
}
