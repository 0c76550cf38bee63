package trace

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/util/json"
)

var (
	nodeFields = ordered{
		"name", "n1", "from", 1_699_990_000_000, "to", 1_700_000_060_000,
		"labels",
		ordered{"kubernetes.io/arch", "amd64"},
		"taints",
		[]any{ordered{"key", "dedicated", "value", "batch", "effect", "NoSchedule", "timeAdded", nil}},
		"unschedulable", true,
		"capacity",
		ordered{"cpu", "8"},
		"allocatable",
		ordered{"memory", "30Gi", "cpu", "7910m"},
	}
	podFields = ordered{
		"owner",
		[]any{"v1.Pod", "batch/lone"},
		"namespace", "batch", "name", "lone", "hash", wideInt(-1), "created", 1, "scheduled", 2, "started", 3, "finished", 4, "deleted", 5, "node", "n1",
	}
	extensionFields = ordered{
		"version", 1,
		"pods",
		[]any{podFields, ordered{"owner", []any{"v1.Pod", "x"}, "name", "x", "new", ordered{1, 2}}},
		"nodes",
		[]any{nodeFields, ordered{"name", "n2", "new", []any{nil}}},
		"gaps",
		[]any{[]any{5, 9}},
		"event_times",
		[]any{[]any{0, 999}, []any{}},
		"new",
		raw{mFixExt, 5, 6},
	}
	extensionValue = Extension{
		EventTimes: [][]uint16{{0, 999}, {}},
		Gaps:       []Gap{{5, 9}},
		Nodes: []NodePeriod{{
			Name: "n1", From: 1_699_990_000_000, To: 1_700_000_060_000,
			NodeShape: NodeShape{
				Labels:        map[string]string{"kubernetes.io/arch": "amd64"},
				Taints:        []Taint{{Key: "dedicated", Value: "batch", Effect: "NoSchedule"}},
				Unschedulable: true,
				Capacity:      map[string]string{"cpu": "8"},
				Allocatable:   map[string]string{"cpu": "7910m", "memory": "30Gi"},
			},
		}, {Name: "n2"}},
		Pods: []PodTimes{
			{PodOwner{podKind, "batch/lone"}, "batch", "lone", 1<<64 - 1, 1, 2, 3, 4, 5, "n1"},
			{Owner: PodOwner{podKind, "x"}, Name: "x"},
		},
	}
)

func TestParseExtension(t *testing.T) {
	got, err := ParseExtension(pack(extensionFields))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&extensionValue, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := ParseExtension(pack(ordered{"version", 1})); err != nil || !reflect.DeepEqual(got, &Extension{}) {
		t.Errorf("with nothing: got %v, %v", got, err)
	}
}

func TestExtension_Encode(t *testing.T) {
	data, err := extensionValue.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseExtension(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&extensionValue, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	empty, err := (&Extension{}).Encode()
	if want := pack(ordered{"event_times", []any{}, "gaps", []any{}, "nodes", []any{}, "pods", []any{}, "version", 1}); err != nil || !bytes.Equal(empty, want) {
		t.Errorf("with nothing: got %q, %v, want %q", empty, err, want)
	}
}

func TestExtension_Encode_Refused(t *testing.T) {
	for name, x := range map[string]Extension{
		"milliseconds":    {EventTimes: [][]uint16{{1000}}},
		"name":            {Nodes: []NodePeriod{{Name: "\xff"}}},
		"taint":           {Nodes: []NodePeriod{{NodeShape: NodeShape{Taints: []Taint{{Effect: "\xff"}, {}}}}}},
		"owner without":   {Pods: []PodTimes{{Name: "x"}}},
		"name of a label": {Nodes: []NodePeriod{{NodeShape: NodeShape{Labels: map[string]string{"\xff": "x", "y": "y"}}}}},
		"pod":             {Pods: []PodTimes{{Owner: PodOwner{podKind, "x"}, Name: "x", Node: "\xff"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := x.Encode(); !errors.Is(err, ErrValue) {
				t.Errorf("got %v, want %v", err, ErrValue)
			}
		})
	}
	t.Run("a sequence that changes", func(t *testing.T) {
		walks := 0
		stream := ExtensionStream{Gaps: func(yield func(Gap, error) bool) {
			if walks++; walks == 1 {
				yield(Gap{}, nil)
			}
		}}
		if err := stream.Write(new(bytes.Buffer)); !errors.Is(err, ErrCount) {
			t.Errorf("got %v, want %v", err, ErrCount)
		}
	})
	t.Run("a sequence that fails", func(t *testing.T) {
		for at := range 2 {
			walks := 0
			var pods iter.Seq2[PodTimes, error] = func(yield func(PodTimes, error) bool) {
				if walks++; walks > at {
					yield(PodTimes{}, errDiskFull)
				}
			}
			if err := (&ExtensionStream{Pods: pods}).Write(new(bytes.Buffer)); !errors.Is(err, errDiskFull) {
				t.Errorf("in walk %d: got %v, want %v", at, err, errDiskFull)
			}
		}
	})
}

func malformedExtensions() map[string]struct {
	data  []byte
	want  string
	class error
} {
	type test = struct {
		data  []byte
		want  string
		class error
	}
	with := func(key string, value any) []byte { return pack(extensionFields.with(key, value)) }
	node := func(key string, value any) []byte {
		return with("nodes", []any{nodeFields, nodeFields.with(key, value)})
	}
	pod := func(key string, value any) []byte { return with("pods", []any{podFields.with(key, value)}) }
	return map[string]test{
		"nothing":               {nil, "x-simkube: the trace ends here, but at least 1 more bytes are required", ErrTruncated},
		"not a map":             {pack(1), "x-simkube: want a map, got an integer", ErrType},
		"no version":            {with("version", absent), `x-simkube: the key "version" is missing`, ErrMissingKey},
		"version 0":             {with("version", 0), "x-simkube.version: unknown version 0", ErrValue},
		"version a string":      {with("version", "1"), "x-simkube.version: want an integer, got a string", ErrType},
		"newer, other types":    {pack(ordered{"version", 2, "gaps", 1}), "x-simkube.version: version 2 is not supported: must be at most 1", ErrExtensionVersion},
		"bytes after it":        {append(pack(extensionFields), 1), "x-simkube: want the end of the extension, got more bytes", ErrTrailing},
		"key twice":             {pack(append(extensionFields, "gaps", []any{})), `x-simkube: duplicate key "gaps"`, ErrDuplicateKey},
		"milliseconds":          {with("event_times", []any{[]any{1}, []any{0, 1000}}), "x-simkube.event_times[1][1]: want milliseconds within a second, got 1000", ErrValue},
		"milliseconds negative": {with("event_times", []any{[]any{-1}}), "x-simkube.event_times[0][0]: want milliseconds within a second, got -1", ErrValue},
		"event times a map":     {with("event_times", ordered{}), "x-simkube.event_times: want an array, got a map", ErrType},
		"gap of three":          {with("gaps", []any{[]any{1, 2, 3}}), "x-simkube.gaps[0]: want an array of a start and an end, got one of 3", ErrType},
		"node without name":     {node("name", absent), `x-simkube.nodes[1]: the key "name" is missing`, ErrMissingKey},
		"node's from null":      {node("from", nil), "x-simkube.nodes[1].from: want an integer, got null", ErrType},
		"label a number":        {node("labels", ordered{"a.b", 1}), `x-simkube.nodes[1].labels["a.b"]: want a string, got an integer`, ErrType},
		"label twice":           {node("labels", ordered{"a", "1", "a", "2"}), `x-simkube.nodes[1].labels: duplicate key "a"`, ErrDuplicateKey},
		"taint's key null":      {node("taints", []any{ordered{"key", nil}}), "x-simkube.nodes[1].taints[0].key: want a string, got null", ErrType},
		"unschedulable 1":       {node("unschedulable", 1), "x-simkube.nodes[1].unschedulable: want a boolean, got an integer", ErrType},
		"pod without owner":     {pod("owner", absent), `x-simkube.pods[0]: the key "owner" is missing`, ErrMissingKey},
		"pod without name":      {pod("name", absent), `x-simkube.pods[0]: the key "name" is missing`, ErrMissingKey},
		"owner a string":        {pod("owner", "v1.Pod"), "x-simkube.pods[0].owner: want an array, got a string", ErrType},
		"time beyond":           {pod("created", uint64(1<<63)), "x-simkube.pods[0].created: 9223372036854775808 is out of range", ErrValue},
	}
}

func TestParseExtension_Malformed(t *testing.T) {
	for name, test := range malformedExtensions() {
		t.Run(name, func(t *testing.T) {
			_, err := ParseExtension(test.data)
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("got %v, want a *FormatError", err)
			}
			if want := fmt.Sprintf("byte %d: %s", format.Offset, test.want); err.Error() != want || !errors.Is(err, test.class) {
				t.Errorf("got  %s (%v)\nwant %s (%v)", err, format.Err, want, test.class)
			}
		})
	}
	t.Run("truncated", func(t *testing.T) {
		data := pack(extensionFields)
		for cut := range len(data) {
			if _, err := ParseExtension(data[:cut]); !errors.Is(err, ErrTruncated) {
				t.Errorf("cut to %d bytes: got %v, want %v", cut, err, ErrTruncated)
			}
		}
	})
	t.Run("the trace of a newer one", func(t *testing.T) {
		mustRead(t, pack(traceFields.with("x-simkube", ordered{"version", 2, "gaps", 1})))
	})
}

func TestParseNodeShape(t *testing.T) {
	got, err := ParseNodeShape(pack(nodeFields[6:]))
	if diff := cmp.Diff(extensionValue.Nodes[0].NodeShape, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, data := range map[string][]byte{"not a map": pack(1), "bytes after it": {mFixMap, 0}, "labels": pack(ordered{"labels", 1})} {
		if _, err := ParseNodeShape(data); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

// FuzzParseExtension checks that every input is an extension that can be written and read back
// unchanged, or an error with a position.
func FuzzParseExtension(f *testing.F) {
	f.Add(pack(extensionFields))
	for _, test := range malformedExtensions() {
		f.Add(test.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := ParseExtension(data)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) || format.Offset < 0 || format.Offset > int64(len(data)) {
				t.Errorf("got %v, want a *FormatError in %d bytes", err, len(data))
			}
			return
		}
		written, err := x.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseExtension(written)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(x, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got, err := again.Encode(); err != nil || !bytes.Equal(got, written) {
			t.Errorf("written twice: %v\ngot  %x\nwant %x", err, got, written)
		}
	})
}

func TestFormatDoc_Extension(t *testing.T) {
	doc := formatDoc(t)
	var tree map[string]any
	if err := json.Unmarshal([]byte(block(t, doc, "json")), &tree); err != nil {
		t.Fatal(err)
	}
	data, err := appendValue(nil, tree, 0)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ParseExtension(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := x.Encode(); err != nil || !bytes.Equal(got, data) {
		t.Errorf("written: %v\ngot  %q\nwant %q", err, got, data)
	}
	var keys []string
	for _, row := range table(t, doc, "| key of x-simkube | value |") {
		keys = append(keys, row[0])
		if _, described := tree[row[0]]; !described {
			t.Errorf("the example has no %s", row[0])
		}
		_, fields, _ := strings.Cut(row[1], ": `")
		if list, _ := tree[row[0]].([]any); fields != "" && len(list) > 0 {
			example, _ := list[0].(map[string]any)
			for _, field := range strings.Split(strings.Trim(fields, "` "), "`, `") {
				if _, ok := example[field]; !ok {
					t.Errorf("the example has no %s in %s", field, row[0])
				}
			}
		}
	}
	if diff := cmp.Diff([]string{keyEventTimes, keyGaps, keyNodes, keyPods, keyVersion}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
