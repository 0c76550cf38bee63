package log

import (
	"encoding/binary"
	"encoding/hex"
)

// entryType is the first byte of an entry.
type entryType byte

const (
	changeEntry entryType = iota + 1
	podEntry
	nodeEntry
	gapEntry
)

// The first byte of a version, which determines what follows.
const (
	versionPointer byte = iota // operation, hash and UID; the rest is in the entry
	versionWhole               // the number and the whole entry
)

// The first byte of a UID, which determines its encoding.
const (
	uidText   byte = iota // a string
	uidPacked             // the 16 bytes of a UUID
)

const uuidLen = 36

// appendEntryHead appends the head of an entry.
func appendEntryHead(b []byte, t entryType, ms int64) []byte {
	return appendNumber(append(b, byte(t)), uint64(ms))
}

// appendChange appends the entry of a change.
func appendChange(b []byte, ms int64, c *Change) []byte {
	b = append(appendEntryHead(b, changeEntry, ms), byte(c.Op))
	b = appendKeyText(b, c.Key)
	b = appendUID(b, c.UID)
	if c.Op != Applied {
		return b
	}
	b = appendNumber(b, c.Hash)
	b = appendKeys(b, c.Ancestors)
	b = appendBytes(b, c.References)
	return append(b, c.Object...)
}

// appendVersion appends a version that is a pointer to its entry.
func appendVersion(b []byte, ms int64, c *Change) []byte {
	b = append(b, versionPointer, byte(c.Op))
	b = binary.AppendUvarint(b, uint64(ms))
	b = appendUID(b, c.UID)
	if c.Op == Applied {
		b = appendNumber(b, c.Hash)
	}
	return b
}

// appendWhole appends a version that includes its entry.
func appendWhole(b []byte, seq Seq, entry []byte) []byte {
	return append(binary.AppendUvarint(append(b, versionWhole), uint64(seq)), entry...)
}

// appendPod appends the fields of a pod that are not in its key.
func appendPod(b []byte, seq Seq, p *Pod) []byte {
	b = binary.AppendUvarint(b, uint64(seq))
	b = appendString(b, p.Namespace)
	b = appendString(b, p.Name)
	b = appendNumber(b, p.Hash)
	tracked := byte(0)
	if p.Tracked {
		tracked = 1
	}
	b = append(b, tracked)
	b = appendKeys(b, p.Ancestors)
	b = append(b, byte(p.Lifecycle.State))
	for _, n := range []int64{p.Lifecycle.Start, p.Lifecycle.End, p.Scheduled, p.Started, p.Deleted} {
		b = binary.AppendVarint(b, n)
	}
	return appendString(b, p.Node)
}

// appendNode appends the fields of a node that are not in its key.
func appendNode(b []byte, seq Seq, n *Node) []byte {
	b = binary.AppendUvarint(b, uint64(seq))
	b = appendString(b, n.Name)
	b = binary.AppendVarint(b, n.To)
	return append(b, n.Shape...)
}

func appendGap(b []byte, g *Gap) []byte {
	return binary.AppendVarint(binary.AppendVarint(b, g.From), g.To)
}

func appendKeys(b []byte, keys []Key) []byte {
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, k := range keys {
		b = appendKeyText(b, k)
	}
	return b
}

func appendKeyText(b []byte, k Key) []byte {
	n := len(k.GVK.Version) + 1 + len(k.GVK.Kind)
	if k.GVK.Group != "" {
		n += len(k.GVK.Group) + 1
	}
	return appendString(appendKind(binary.AppendUvarint(b, uint64(n)), k.GVK), k.Name)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBytes(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendUID appends a UID. One in the form of the API server takes half the space.
func appendUID(b []byte, uid string) []byte {
	start := len(b)
	b = append(b, uidPacked)
	if packed, ok := packUUID(b, uid); ok {
		return packed
	}
	return appendString(append(b[:start], uidText), uid)
}

func packUUID(b []byte, uid string) ([]byte, bool) {
	if len(uid) != uuidLen {
		return nil, false
	}
	for i := 0; i < uuidLen; {
		if dash(i) {
			if uid[i] != '-' {
				return nil, false
			}
			i++
			continue
		}
		high, low := lowerHex(uid[i]), lowerHex(uid[i+1])
		if high > 15 || low > 15 {
			return nil, false
		}
		b = append(b, high<<4|low)
		i += 2
	}
	return b, true
}

// dash reports whether a UUID has a dash at i.
func dash(i int) bool { return i == 8 || i == 13 || i == 18 || i == 23 }

// lowerHex returns the value of a lower-case hexadecimal digit, or more than 15.
func lowerHex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

func unpackUUID(b []byte) string {
	var out [uuidLen]byte
	for i, n := 0, 0; n < len(b); n++ {
		if dash(i) {
			out[i] = '-'
			i++
		}
		hex.Encode(out[i:], b[n:n+1])
		i += 2
	}
	return string(out[:])
}
