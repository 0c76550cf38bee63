package trace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"
)

// ordered is a map that is packed in the given order: alternating keys and values of any type,
// possibly with duplicates.
type ordered []any

// raw is encoded msgpack.
type raw []byte

// wide is an integer that is encoded in nine bytes, as signed or unsigned.
type (
	wideUint uint64
	wideInt  int64
)

// pack encodes test data, including msgpack that a Writer would not write.
func pack(v any) []byte {
	switch v := v.(type) {
	case raw:
		return v
	case wideUint:
		return binary.BigEndian.AppendUint64([]byte{mUint64}, uint64(v))
	case wideInt:
		return binary.BigEndian.AppendUint64([]byte{mInt64}, uint64(v))
	case []byte:
		return msgp.AppendBytes(nil, v)
	case float32:
		return msgp.AppendFloat32(nil, v)
	case float64:
		return msgp.AppendFloat64(nil, v)
	case ordered:
		b := msgp.AppendMapHeader(nil, uint32(len(v)/2))
		for _, e := range v {
			b = append(b, pack(e)...)
		}
		return b
	case []any:
		b := msgp.AppendArrayHeader(nil, uint32(len(v)))
		for _, e := range v {
			b = append(b, pack(e)...)
		}
		return b
	}
	b, err := appendValue(nil, v, 0)
	if err != nil {
		panic(fmt.Sprintf("pack %v: %v", v, err))
	}
	return b
}

// with returns a copy with another value for a key, or without the key if the value is absent.
func (o ordered) with(key string, value any) ordered {
	var c ordered
	found := false
	for i := 0; i < len(o); i += 2 {
		switch {
		case o[i] != key:
			c = append(c, o[i], o[i+1])
		case value != absent:
			c = append(c, key, value)
			found = true
		default:
			found = true
		}
	}
	if !found {
		c = append(c, key, value)
	}
	return c
}

type absentType struct{}

// absent makes ordered.with remove a key.
var absent any = absentType{}

// The parts of the traces of the tests. Together they contain every encoding that the format
// allows.
var (
	podManifest = ordered{
		"apiVersion", "v1", "kind", "Pod",
		"metadata",
		ordered{"annotations", ordered{}, "creationTimestamp", nil, "name", "lone", "namespace", "batch"},
		"spec",
		ordered{
			"containers",
			[]any{ordered{
				"command",
				[]any{"sleep", "30"},
				"image", "busybox", "name", "main",
				"ports",
				[]any{ordered{"containerPort", 80}},
				"volumeMounts",
				[]any{ordered{"mountPath", "/token", "name", "kube-api-access-x7x7x"}},
			}},
			"nodeName", "node-1", "serviceAccount", "default", "serviceAccountName", "default",
			"volumes",
			[]any{ordered{"name", "kube-api-access-x7x7x"}, ordered{"emptyDir", ordered{}, "name", "scratch"}},
		},
	}
	deploymentManifest = ordered{
		"apiVersion", "apps/v1", "kind", "Deployment",
		"metadata",
		ordered{"labels", ordered{"app", "wéb"}, "name", "web", "namespace", "default"},
		"spec",
		ordered{
			"replicas", 3, "selector",
			ordered{"matchLabels", ordered{"app", "web"}},
			"template",
			ordered{"spec", ordered{"containers", []any{}, "terminationGracePeriodSeconds", 300, "weight", 1.5}},
		},
	}
	// roleManifest is cluster-scoped, has no spec, and has a field before kind.
	roleManifest = ordered{
		"aggregationRule",
		ordered{},
		"apiVersion", "rbac.authorization.k8s.io/v1", "kind", "ClusterRole",
		"metadata",
		ordered{"name", "reader"},
		"rules",
		[]any{},
	}
	// strangeManifest contains encodings that a Writer does not use, and values that are rare.
	strangeManifest = ordered{
		"kind", "Widget", "spec",
		ordered{
			"z", wideInt(7), "big", wideUint(math.MaxInt64), "a",
			raw{mStr8, 1, 'x'},
			"binary", []byte("hello\x00"),
			"single", float32(0.5), "negative", wideInt(-3), "minus0", math.Copysign(0, -1), "map16",
			raw{mMap16, 0, 0},
			"array32",
			raw{mArray32, 0, 0, 0, 1, mTrue},
			"str32",
			raw{mStr32, 0, 0, 0, 2, 'h', 'i'},
			"int8",
			raw{mInt8, 0x80},
		},
		"metadata",
		ordered{"namespace", "default", "name", "strange"},
		"apiVersion", "example.com/v1alpha1",
	}
	deletedDeployment = ordered{
		"apiVersion", "apps/v1", "kind", "Deployment",
		"metadata",
		ordered{"name", "web", "namespace", "default"},
	}

	configFields = ordered{"trackedObjects", ordered{
		"apps/v1.Deployment",
		ordered{"trackLifecycle", true},
		"example.com/v1alpha1.Widget",
		ordered{"podSpecTemplatePaths", []any{"/spec/parts/*/template"}},
		"rbac.authorization.k8s.io/v1.ClusterRole",
		ordered{},
		"v1.Pod",
		ordered{"skipOwned", true, "trackLifecycle", true},
	}}
	eventList = []any{
		ordered{"ts", 1_700_000_000, "applied_objs", []any{deploymentManifest, roleManifest}, "deleted_objs", []any{}},
		ordered{"ts", 1_700_000_000, "applied_objs", []any{podManifest, strangeManifest}, "deleted_objs", []any{}},
		ordered{"ts", 1_700_000_090, "applied_objs", []any{}, "deleted_objs", []any{deletedDeployment}},
	}
	indexFields = ordered{
		"apps/v1.Deployment",
		ordered{"default/web", uint64(math.MaxUint64)},
		"v1.Pod",
		ordered{"batch/lone", 77},
	}
	lifecycleFields = ordered{
		[]any{"apps/v1.Deployment", "default/web"},
		ordered{
			uint64(2151974655102796215),
			[]any{ordered{"Running", 1_700_000_010}, "Empty"},
			7,
			[]any{},
		},
		[]any{"v1.Pod", "batch/lone"},
		ordered{
			uint64(math.MaxUint64), []any{ordered{"Finished", []any{1_700_000_020, 1_700_000_050}}},
		},
	}
	traceFields = ordered{
		"version", 2, "config", configFields, "events", eventList, "index", indexFields, "pod_lifecycles", lifecycleFields,
	}
	// traceV1 is the same trace in version 1.
	traceV1 = []any{
		ordered{"trackedObjects", ordered{
			"apps/v1.Deployment",
			ordered{"trackLifecycle", true},
			"example.com/v1alpha1.Widget",
			ordered{"podSpecTemplatePath", "/spec/parts/*/template"},
			"rbac.authorization.k8s.io/v1.ClusterRole",
			ordered{},
			"v1.Pod",
			ordered{"skipOwned", true, "trackLifecycle", true},
		}},
		eventList,
		ordered{"default/web", uint64(math.MaxUint64), "batch/lone", 77},
		ordered{
			"default/web",
			ordered{
				uint64(2151974655102796215),
				[]any{ordered{"start_ts", 1_700_000_010, "end_ts", nil}, "Empty"},
				7,
				[]any{},
			},
			"batch/lone",
			ordered{
				uint64(math.MaxUint64), []any{ordered{"start_ts", 1_700_000_020, "end_ts", 1_700_000_050}},
			},
		},
	}
)

// eventsOf returns a trace with one event that applies one object.
func eventsOf(obj any) ordered {
	return traceFields.with("events", []any{
		ordered{"ts", 1, "applied_objs", []any{obj}, "deleted_objs", []any{}},
	})
}

// fixtures returns the hand-made traces of the tests by name.
func fixtures() map[string][]byte {
	return map[string][]byte{
		"v2":        pack(traceFields),
		"v1":        pack(traceV1),
		"extension": pack(traceFields.with("x-simkube", ordered{"version", 1, "nodes", []any{1, 2, 3}})),
		"unknown": pack(append(ordered{"comment", ordered{1, ordered{2.5, []byte{1}}, nil, raw{mFixExt, 5, 6}}},
			append(traceFields, "after", raw{mExt8, 2, 9, 1, 2})...)),
		"empty": pack(ordered{
			"version", 2, "config", ordered{"trackedObjects", ordered{}}, "events", []any{}, "index", ordered{}, "pod_lifecycles", ordered{},
		}),
		"reversed": pack(ordered{
			"pod_lifecycles", lifecycleFields, "index", indexFields, "events", eventList, "config", configFields, "version", 2,
		}),
		"wide": bytes.Join([][]byte{
			{mMap32, 0, 0, 0, 5},
			pack("version"), pack(wideInt(2)), pack("config"), pack(configFields), pack("events"),
			{mArray32, 0, 0, 0, 1},
			pack(ordered{"deleted_objs", []any{}, "applied_objs", []any{strangeManifest}, "ts", wideUint(3), "new", 1}),
			pack("index"), pack(ordered{"/v1.Pod", ordered{"a/b", wideInt(-1)}}), pack("pod_lifecycles"),
			{mMap16, 0, 0},
		}, nil),
	}
}
