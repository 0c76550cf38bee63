package traceinfo

import (
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/tinylib/msgp/msgp"

	"simkube.io/simkube/trace"
)

// A trace may have millions of manifests with only a few distinct pod requests. Finding the
// relevant bytes takes a tenth of the time of decoding a manifest. Only one manifest for each
// distinct set of requests is decoded.

// knownRequests returns the requests of the pods of an object if they are in the cache.
func (c *collector) knownRequests(k *kindState, obj *trace.Object) (sum requests, key uint64, known bool) {
	if len(k.paths) != 1 || k.paths[0] == "" || strings.ContainsAny(k.paths[0], "*~") || isDaemonSet(k.gvk) || !trace.KnownKind(k.gvk) ||
		entry(entry(obj.Raw(), "metadata"), "ownerReferences") != nil {
		return sum, 0, false
	}
	template, parentSpec := obj.Raw(), obj.Raw()
	for segment := range strings.SplitSeq(k.paths[0][1:], "/") {
		parentSpec = template
		if template = entry(template, segment); template == nil {
			return sum, 0, false
		}
	}
	key, ok := resourceKey(entry(template, "spec"))
	if !ok {
		return sum, 0, false
	}
	one, ok := c.requestsByKey[key]
	if !ok {
		return sum, key, false
	}
	outer := map[string]any{"spec": scalars(obj.Spec())}
	return one.times(replicasOf(k.gvk, outer, scalars(parentSpec))), key, true
}

// entry returns the bytes of the value of a key in a map, or nil if there is none.
func entry(b []byte, key string) []byte {
	var found []byte
	_ = entries(b, func(k, value []byte) error {
		if string(k) == key {
			found = value
		}
		return nil
	})
	return found
}

// entries visits the entries of a map; none if b is not a map.
func entries(b []byte, visit func(key, value []byte) error) error {
	if msgp.NextType(b) != msgp.MapType {
		return nil
	}
	n, b, err := msgp.ReadMapHeaderBytes(b)
	for ; n > 0 && err == nil; n-- {
		var key, rest []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			break
		}
		if rest, err = msgp.Skip(b); err == nil {
			err = visit(key, b[:len(b)-len(rest)])
			b = rest
		}
	}
	return err
}

// scalars decodes the integers and booleans in a map.
func scalars(b []byte) map[string]any {
	found := map[string]any{}
	_ = entries(b, func(key, value []byte) error {
		switch msgp.NextType(value) {
		case msgp.IntType, msgp.UintType:
			n, _, err := msgp.ReadInt64Bytes(value)
			found[string(key)] = n
			return err
		case msgp.BoolType:
			b, _, err := msgp.ReadBoolBytes(value)
			found[string(key)] = b
			return err
		case msgp.Float64Type:
			f, _, err := msgp.ReadFloat64Bytes(value)
			found[string(key)] = f
			return err
		}
		return nil
	})
	return found
}

// resourceKey returns a key that is only equal for pod specs with equal requests: it covers
// everything that resourcesOf returns.
func resourceKey(spec []byte) (uint64, bool) {
	if msgp.NextType(spec) != msgp.MapType {
		return 0, false
	}
	var hash xxhash.Digest
	hash.Reset()
	err := entries(spec, func(key, value []byte) error {
		switch string(key) {
		case "overhead", "resources":
			_, _ = hash.Write(key)
			_, _ = hash.Write(value)
		case "containers", "initContainers":
			_, _ = hash.Write(key)
			return hashContainers(&hash, value)
		}
		return nil
	})
	return hash.Sum64(), err == nil
}

func hashContainers(hash *xxhash.Digest, b []byte) error {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	for ; n > 0 && err == nil; n-- {
		_, _ = hash.Write([]byte{0xc1}) // separator: no value begins with it
		var rest []byte
		if rest, err = msgp.Skip(b); err != nil {
			break
		}
		err = entries(b[:len(b)-len(rest)], func(key, value []byte) error {
			if k := string(key); k == "resources" || k == "restartPolicy" {
				_, _ = hash.Write(key)
				_, _ = hash.Write(value)
			}
			return nil
		})
		b = rest
	}
	return err
}
