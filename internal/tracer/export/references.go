package export

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/tracer/log"
	"simkube.io/simkube/trace"
)

// reference is an owner reference.
type reference struct {
	kind schema.GroupKind
	name string
}

// references parses an object's owner references. It ignores those of another form than
// Kubernetes'.
func references(r *log.Record) ([]reference, error) {
	owners, err := parseReferences(r.References)
	if err != nil {
		return nil, fmt.Errorf("owner references of %s %s: %w", trace.FormatGVK(r.Key.GVK), r.Key.Name, err)
	}
	return owners, nil
}

func parseReferences(b []byte) ([]reference, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return nil, err
	}
	var owners []reference
	for range n {
		var owner reference
		if owner, b, err = parseReference(b); err != nil {
			return nil, err
		}
		owners = append(owners, owner)
	}
	return owners, nil
}

func parseReference(b []byte) (owner reference, rest []byte, err error) {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return owner, nil, err
	}
	for range n {
		var key []byte
		if key, b, err = msgp.ReadStringZC(b); err != nil {
			return owner, nil, err
		}
		var text []byte
		if msgp.NextType(b) != msgp.StrType {
			b, err = msgp.Skip(b)
		} else {
			text, b, err = msgp.ReadStringZC(b)
		}
		if err != nil {
			return owner, nil, err
		}
		switch string(key) {
		case "apiVersion":
			// A group that cannot be parsed is not that of a configured kind.
			gv, _ := schema.ParseGroupVersion(string(text))
			owner.kind.Group = gv.Group
		case "kind":
			owner.kind.Kind = string(text)
		case "name":
			owner.name = string(text)
		}
	}
	return owner, b, nil
}
