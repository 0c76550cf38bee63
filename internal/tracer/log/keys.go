package log

import (
	"encoding/binary"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// space is the first byte of a key, which determines the kind of its value.
type space byte

const (
	entrySpace      space = 'e'
	versionSpace    space = 'v'
	podSpace        space = 'p'
	livePodSpace    space = 'l'
	deletedPodSpace space = 'd'
	nodeSpace       space = 'n'
	gapSpace        space = 'g'
	metaSpace       space = 'm'
	numberLen             = 8
	flattened       Seq   = 0 // in the key of a version: the state at the log's beginning
	endOfTime       Seq   = 1<<64 - 1
	afterName             = 1 // in place of the 0 after a name: sorts after all of its versions
)

func (s space) first() []byte { return []byte{byte(s)} }

// end returns the first key after the space.
func (s space) end() []byte { return []byte{byte(s) + 1} }

func beginKey() []byte { return []byte("mbegin") }
func endKey() []byte   { return []byte("mend") }

func appendNumber(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }

func appendSeqKey(b []byte, s space, seq Seq) []byte {
	return appendNumber(append(b, byte(s)), uint64(seq))
}

func entryKey(seq Seq) []byte { return appendSeqKey(nil, entrySpace, seq) }

// appendKind appends a kind in the form of [trace.FormatGVK].
func appendKind(b []byte, gvk schema.GroupVersionKind) []byte {
	if gvk.Group != "" {
		b = append(append(b, gvk.Group...), '/')
	}
	return append(append(append(b, gvk.Version...), '.'), gvk.Kind...)
}

// unambiguous reports whether the object's key can be parsed from its text, that is, has no
// separators in its parts.
func unambiguous(key Key) bool {
	has := func(s string, c byte) bool { return strings.IndexByte(s, c) >= 0 }
	v, k := key.GVK.Version, key.GVK.Kind
	return !has(key.Name, 0) && !has(key.GVK.Group, 0) && !has(key.GVK.Group, '/') && !has(v, 0) && !has(v, '.') && !has(v, '/') && !has(k, 0) && !has(k, '.') && !has(k, '/')
}

// appendVersionPrefix appends the common prefix of the keys of an object's versions.
func appendVersionPrefix(b []byte, key Key) []byte {
	b = append(b, byte(versionSpace))
	b = appendKind(b, key.GVK)
	b = append(b, 0)
	b = append(b, key.Name...)
	return append(b, 0)
}

// afterVersions turns the prefix of an object's versions into the first key after them.
func afterVersions(prefix []byte) []byte {
	prefix[len(prefix)-1] = afterName
	return prefix
}

// splitVersionKey splits the key of a version.
func splitVersionKey(k []byte) (prefix []byte, seq Seq, err error) {
	if len(k) < 1+numberLen || k[len(k)-numberLen-1] != 0 {
		return nil, 0, corrupt("key %q is not that of a version", k)
	}
	return k[:len(k)-numberLen], Seq(binary.BigEndian.Uint64(k[len(k)-numberLen:])), nil
}

// splitPrefix splits the prefix of an object's versions.
func splitPrefix(prefix []byte) (kind, name string, err error) {
	kind, rest, ok := strings.Cut(string(prefix[1:]), "\x00")
	name, end, ok2 := strings.Cut(rest, "\x00")
	if !ok || !ok2 || end != "" {
		return "", "", corrupt("%q is not the prefix of an object's versions", prefix)
	}
	return kind, name, nil
}

// appendTimeKey appends a key that begins with a time.
func appendTimeKey(b []byte, s space, ms int64, uid string) []byte {
	return append(appendNumber(append(b, byte(s)), uint64(ms)), uid...)
}

func splitTimeKey(k []byte) (ms int64, rest []byte, err error) {
	if len(k) < 1+numberLen {
		return 0, nil, corrupt("key %q is too short", k)
	}
	return int64(binary.BigEndian.Uint64(k[1:])), k[1+numberLen:], nil
}

// checkEntry returns an error if an entry cannot be recorded because a key cannot be made of it.
func checkEntry(e Entry) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrEntry, fmt.Sprintf(format, args...))
	}
	switch e := e.(type) {
	case *Change:
		switch {
		case e.Op < Applied || e.Op > Forgotten:
			return wrong("%s %q: unknown operation %d", trace.FormatGVK(e.Key.GVK), e.Key.Name, e.Op)
		case e.Key.GVK.Version == "" || e.Key.GVK.Kind == "" || e.Key.Name == "":
			return wrong("object %q of kind %q: version, kind and name must be set", e.Key.Name, trace.FormatGVK(e.Key.GVK))
		case !unambiguous(e.Key):
			return wrong("object %q of kind %q: a name must not contain a zero byte, nor a version or kind a dot or slash", e.Key.Name, trace.FormatGVK(e.Key.GVK))
		}
	case *Pod:
		if e.UID == "" || e.Created < 0 || e.Deleted < 0 {
			return wrong("pod %q of namespace %q: uid %q, created %d, deleted %d", e.Name, e.Namespace, e.UID, e.Created, e.Deleted)
		}
	case *Node:
		if e.UID == "" || e.From < 0 || e.To < 0 {
			return wrong("node %q: uid %q, from %d, to %d", e.Name, e.UID, e.From, e.To)
		}
	case *Gap:
		if e.From < 0 || e.To < e.From {
			return wrong("gap from %d to %d", e.From, e.To)
		}
	default:
		return wrong("unknown type %T", e)
	}
	return nil
}
