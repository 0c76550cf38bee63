package log

import (
	"encoding/binary"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// space is the first byte of a key: what the key is of.
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
	flattened       Seq   = 0 // the number, in a version's key, of the state at the log's beginning
	endOfTime       Seq   = 1<<64 - 1
	afterName             = 1 // follows the 0 behind a name: behind all versions of it
)

func (s space) first() []byte { return []byte{byte(s)} }

// end is behind all keys of the space.
func (s space) end() []byte { return []byte{byte(s) + 1} }

func beginKey() []byte { return []byte("mbegin") }
func endKey() []byte   { return []byte("mend") }

func appendNumber(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }

func appendSeqKey(b []byte, s space, seq Seq) []byte {
	return appendNumber(append(b, byte(s)), uint64(seq))
}

func entryKey(seq Seq) []byte { return appendSeqKey(nil, entrySpace, seq) }

// appendKind appends [trace.FormatGVK] of a kind.
func appendKind(b []byte, gvk schema.GroupVersionKind) []byte {
	if gvk.Group != "" {
		b = append(append(b, gvk.Group...), '/')
	}
	return append(append(append(b, gvk.Version...), '.'), gvk.Kind...)
}

// plain says whether the object's key can be told from its text: names keep clear of the separators.
func plain(key Key) bool {
	has := func(s string, c byte) bool { return strings.IndexByte(s, c) >= 0 }
	v, k := key.GVK.Version, key.GVK.Kind
	return !has(key.Name, 0) && !has(key.GVK.Group, 0) && !has(key.GVK.Group, '/') && !has(v, 0) && !has(v, '.') && !has(v, '/') && !has(k, 0) && !has(k, '.') && !has(k, '/')
}

// appendVersionPrefix appends what the keys of all versions of an object begin with.
func appendVersionPrefix(b []byte, key Key) []byte {
	b = append(b, byte(versionSpace))
	b = appendKind(b, key.GVK)
	b = append(b, 0)
	b = append(b, key.Name...)
	return append(b, 0)
}

// afterVersions makes of the prefix of an object's versions, or of one of their keys, what is behind all of them.
func afterVersions(prefix []byte) []byte {
	prefix[len(prefix)-1] = afterName
	return prefix
}

// splitVersionKey takes a version's key apart.
func splitVersionKey(k []byte) (prefix []byte, seq Seq, err error) {
	if len(k) < 1+numberLen || k[len(k)-numberLen-1] != 0 {
		return nil, 0, corrupt("key %q is not a version's", k)
	}
	return k[:len(k)-numberLen], Seq(binary.BigEndian.Uint64(k[len(k)-numberLen:])), nil
}

// splitPrefix takes the prefix of an object's versions apart.
func splitPrefix(prefix []byte) (kind, name string, err error) {
	kind, rest, ok := strings.Cut(string(prefix[1:]), "\x00")
	name, end, ok2 := strings.Cut(rest, "\x00")
	if !ok || !ok2 || end != "" {
		return "", "", corrupt("key %q is not of an object's versions", prefix)
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

// checkEntry says whether an entry can be recorded: that it has what keys are made of.
func checkEntry(e Entry) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrEntry, fmt.Sprintf(format, args...))
	}
	switch e := e.(type) {
	case *Change:
		switch {
		case e.Op < Applied || e.Op > Forgotten:
			return wrong("%s %q: operation %d", trace.FormatGVK(e.Key.GVK), e.Key.Name, e.Op)
		case e.Key.GVK.Version == "" || e.Key.GVK.Kind == "" || e.Key.Name == "":
			return wrong("object %q of kind %q: a version, a kind and a name are needed", e.Key.Name, trace.FormatGVK(e.Key.GVK))
		case !plain(e.Key):
			return wrong("object %q of kind %q: a zero byte in a name, or a dot in a version or kind", e.Key.Name, trace.FormatGVK(e.Key.GVK))
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
		return wrong("%T", e)
	}
	return nil
}
