package trace

import "errors"

// HashValue gives the hash of a JSON value (nil, bool, any Go integer or float, string, []any,
// map[string]any) that traces identify manifests and pods by. Any other Go type is an error.
func HashValue(v any) (uint64, error) { return 0, errors.ErrUnsupported }

// HashPodSpec gives the hash that identifies a type of pod: of its spec without what differs between
// the pods of one owner (node, service account token volumes, service account) and without container
// ports. spec is not changed.
func HashPodSpec(spec map[string]any) (uint64, error) { return 0, errors.ErrUnsupported }
