package trace

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tokenVolumePrefix is the prefix of the name of the volume that holds a pod's service account
// token. The name differs for every pod.
const tokenVolumePrefix = "kube-api-access"

// HashPodSpec returns the hash that identifies a type of pod. It ignores the fields of the spec
// that differ between the pods of one owner (node, service account, token volumes) and the ports of
// its containers. spec is not modified.
func HashPodSpec(spec map[string]any) (uint64, error) {
	stable, err := stableSpec(spec)
	if err == nil {
		var hash uint64
		if hash, err = HashValue(stable); err == nil {
			return hash, nil
		}
	}
	return 0, fmt.Errorf("hash a pod: %w", err)
}

// stableSpec returns the part of a pod's spec that is hashed. It shares unchanged parts with spec.
func stableSpec(spec map[string]any) (map[string]any, error) {
	stable := maps.Clone(spec)
	if stable == nil {
		stable = map[string]any{}
	}
	var err error
	if stable["volumes"], err = withoutTokens(spec["volumes"]); err != nil {
		return nil, fmt.Errorf("volumes: %w", err)
	}
	for _, field := range []string{"containers", "initContainers"} {
		containers, there := spec[field]
		if !there || containers == nil {
			continue
		}
		if stable[field], err = stableContainers(containers, field == "containers"); err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
	}
	for _, field := range []string{"nodeName", "serviceAccount", "serviceAccountName"} {
		delete(stable, field)
	}
	return stable, nil
}

func stableContainers(value any, dropPorts bool) ([]any, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, classed(ErrType, "want a list, got %s", describeJSON(value))
	}
	stable := make([]any, len(list))
	for i, c := range list {
		container, ok := c.(map[string]any)
		if !ok {
			return nil, classed(ErrType, "[%d]: want a map, got %s", i, describeJSON(c))
		}
		container = maps.Clone(container)
		if container == nil {
			container = map[string]any{}
		}
		mounts, err := withoutTokens(container["volumeMounts"])
		if err != nil {
			return nil, fmt.Errorf("[%d].volumeMounts: %w", i, err)
		}
		container["volumeMounts"] = mounts
		if dropPorts {
			delete(container, "ports")
		}
		stable[i] = container
	}
	return stable, nil
}

// withoutTokens returns a list of volumes or volume mounts without those of service account tokens,
// or an empty list if value is nil.
func withoutTokens(value any) ([]any, error) {
	if value == nil {
		return []any{}, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, classed(ErrType, "want a list, got %s", describeJSON(value))
	}
	return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		volume, _ := v.(map[string]any)
		name, _ := volume["name"].(string)
		return strings.HasPrefix(name, tokenVolumePrefix)
	}), nil
}
