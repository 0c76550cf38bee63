package trace

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/tinylib/msgp/msgp"
)

// The keys of an extension and its parts, in the order in which they are written.
const (
	keyEventTimes = "event_times"
	keyGaps       = "gaps"
	keyNodes      = "nodes"
	keyPods       = "pods"
	// keyVersion comes last.
)

// extensionKeys is the number of keys of an extension.
const extensionKeys = 5

// maxMillis is the last millisecond of a second.
const maxMillis = 999

// ExtensionStream is an [Extension] that need not fit into memory. Its sequences correspond to the
// fields of an Extension. They are iterated twice, first to count, then to write, and must yield
// the same elements both times. A nil sequence is empty. A sequence ends after an error. An element
// is not used after the next one is requested.
type ExtensionStream struct {
	EventTimes iter.Seq2[[]uint16, error]
	Gaps       iter.Seq2[Gap, error]
	Nodes      iter.Seq2[NodePeriod, error]
	Pods       iter.Seq2[PodTimes, error]
}

// Write writes the value of x-simkube. It can be the Extension of a [TailStream]. The error is an
// ErrValue if an element cannot be written, and an ErrCount if a sequence changes between the
// iterations.
func (s *ExtensionStream) Write(w io.Writer) error {
	e := extensionWriter{w: w}
	e.buf = msgp.AppendMapHeader(nil, extensionKeys)
	writeList(&e, keyEventTimes, s.EventTimes, appendMillis)
	writeList(&e, keyGaps, s.Gaps, appendGap)
	writeList(&e, keyNodes, s.Nodes, appendNode)
	writeList(&e, keyPods, s.Pods, appendPod)
	e.buf = msgp.AppendUint64(msgp.AppendString(e.buf, keyVersion), ExtensionVersion)
	e.flush(0)
	return e.err
}

// extensionWriter buffers the output and keeps the first error.
type extensionWriter struct {
	w   io.Writer
	buf []byte
	err error
}

func (e *extensionWriter) flush(some int) {
	if e.err != nil || len(e.buf) <= some {
		return
	}
	_, e.err = e.w.Write(e.buf)
	e.buf = e.buf[:0]
}

// writeList writes a key and the array of the elements of a sequence.
func writeList[T any](e *extensionWriter, key string, seq iter.Seq2[T, error], encode func([]byte, *T) ([]byte, error)) {
	if e.err != nil {
		return
	}
	if seq == nil {
		seq = sequence[T](nil)
	}
	counted := 0
	for _, err := range seq {
		if err != nil {
			e.err = fmt.Errorf("%s[%d]: %w", key, counted, err)
			return
		}
		counted++
	}
	e.buf = msgp.AppendArrayHeader(msgp.AppendString(e.buf, key), uint32(counted))
	n := 0
	for v, err := range seq {
		if err == nil {
			e.buf, err = encode(e.buf, &v)
		}
		if err != nil {
			e.err = fmt.Errorf("%s[%d]: %w", key, n, err)
			return
		}
		n++
		if e.flush(writerBuffer); e.err != nil {
			return
		}
	}
	if n != counted {
		e.err = fmt.Errorf("%s: got %d, %d were counted: %w", key, n, counted, ErrCount)
	}
}

// sequence returns an iterator over the elements of a slice.
func sequence[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func appendMillis(b []byte, millis *[]uint16) ([]byte, error) {
	b = msgp.AppendArrayHeader(b, uint32(len(*millis)))
	for _, ms := range *millis {
		if ms > maxMillis {
			return nil, classed(ErrValue, "%d milliseconds are more than a second has", ms)
		}
		b = msgp.AppendUint64(b, uint64(ms))
	}
	return b, nil
}

func appendGap(b []byte, gap *Gap) ([]byte, error) {
	return appendInt(appendInt(msgp.AppendArrayHeader(b, 2), gap.From), gap.To), nil
}

// mapFields appends the entries of a map with at most 15 entries, whose number is known only at the
// end because absent entries are left out.
type mapFields struct {
	b    []byte
	head int // where the map begins
	n    int
	err  error
}

func beginFields(b []byte) mapFields {
	return mapFields{b: append(b, mFixMap), head: len(b)}
}

func (m *mapFields) end() ([]byte, error) {
	m.b[m.head] = mFixMap | byte(m.n)
	return m.b, m.err
}

func (m *mapFields) key(key string) {
	m.n++
	m.b = msgp.AppendString(m.b, key)
}

func (m *mapFields) text(s string) {
	b, err := appendString(m.b, s)
	if err != nil {
		m.err = err
		return
	}
	m.b = b
}

func (m *mapFields) optionalText(key, s string) {
	if s != "" {
		m.key(key)
		m.text(s)
	}
}

func (m *mapFields) optionalTime(key string, ms int64) {
	if ms != 0 {
		m.key(key)
		m.b = appendInt(m.b, ms)
	}
}

func (m *mapFields) optionalTexts(key string, texts map[string]string) {
	if len(texts) == 0 {
		return
	}
	m.key(key)
	m.b = msgp.AppendMapHeader(m.b, uint32(len(texts)))
	for _, k := range slices.Sorted(maps.Keys(texts)) {
		m.text(k)
		m.text(texts[k])
	}
}

func appendNode(b []byte, node *NodePeriod) ([]byte, error) {
	m := beginFields(b)
	m.optionalTexts("allocatable", node.Allocatable)
	m.optionalTexts("capacity", node.Capacity)
	m.optionalTime("from", node.From)
	m.optionalTexts("labels", node.Labels)
	m.key("name")
	m.text(node.Name)
	if len(node.Taints) > 0 {
		m.key("taints")
		m.b = msgp.AppendArrayHeader(m.b, uint32(len(node.Taints)))
		for _, t := range node.Taints {
			taint := beginFields(m.b)
			taint.optionalText("effect", t.Effect)
			taint.key("key")
			taint.text(t.Key)
			taint.optionalText("value", t.Value)
			b, err := taint.end()
			if err != nil {
				return nil, err
			}
			m.b = b
		}
	}
	m.optionalTime("to", node.To)
	if node.Unschedulable {
		m.key("unschedulable")
		m.b = msgp.AppendBool(m.b, true)
	}
	return m.end()
}

func appendPod(b []byte, pod *PodTimes) ([]byte, error) {
	if err := checkOwner(pod.Owner); err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	m := beginFields(b)
	m.optionalTime("created", pod.Created)
	m.optionalTime("deleted", pod.Deleted)
	m.optionalTime("finished", pod.Finished)
	m.key("hash")
	m.b = msgp.AppendUint64(m.b, pod.Hash)
	m.key("name")
	m.text(pod.Name)
	m.optionalText("namespace", pod.Namespace)
	m.optionalText("node", pod.Node)
	m.key("owner")
	m.b = appendOwner(m.b, pod.Owner)
	m.optionalTime("scheduled", pod.Scheduled)
	m.optionalTime("started", pod.Started)
	return m.end()
}
