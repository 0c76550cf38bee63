package machine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/skel/internal/syntax"
	"simkube.io/simkube/trace"
)

func compile(t *testing.T, source string) *Program {
	t.Helper()
	parsed, found, _ := syntax.Parse(source, syntax.DefaultLimits())
	if len(found) > 0 {
		t.Fatalf("%s: got %+v, want no mistakes", source, found)
	}
	return Compile(parsed)
}

func compileSelector(t *testing.T, source string) *Program {
	t.Helper()
	parsed, found, _ := syntax.ParseSelector(source, syntax.DefaultLimits())
	if len(found) > 0 {
		t.Fatalf("%s: got %+v, want no mistakes", source, found)
	}
	return CompileSelector(parsed)
}

// pod returns the pod n/p with fields that are written in YAML.
func pod(t *testing.T, fields string) *trace.Object {
	t.Helper()
	manifest := map[string]any{}
	if err := yaml.Unmarshal([]byte(fields), &manifest); err != nil {
		t.Fatal(err)
	}
	u := unstructured.Unstructured{Object: manifest}
	u.SetAPIVersion("v1")
	u.SetKind("Pod")
	u.SetNamespace("n")
	u.SetName("p")
	obj, err := trace.NewObject(&u)
	if err != nil {
		t.Fatal(err)
	}
	return &obj
}

func record(t *testing.T, name string) *trace.Object {
	t.Helper()
	obj, err := trace.NewDeleted(pod(t, "").GVK(), name)
	if err != nil {
		t.Fatal(err)
	}
	return &obj
}

// numbers returns a list of numbers as YAML.
func numbers(from, to int) string {
	var parts []string
	for i := from; i < to; i++ {
		parts = append(parts, fmt.Sprint(i))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func TestMachine_Limits(t *testing.T) {
	for _, test := range []struct {
		name, program, fields string
		limits                Limits
		want                  string
	}{
		{
			"places of a path", `delete(spec.a[*].b == 1000);`, "spec: {a: " + numbers(0, 20) + ", b: 1}",
			Limits{Steps: 10, Bytes: 1 << 20, Objects: 10},
			"the command looks at more than 10 places in this object",
		},
		{
			"places that are removed", `remove(spec.a[*].b);`, "spec: {a: [{b: 1}, {b: 1}, {b: 1}, {b: 1}]}",
			Limits{Steps: 4, Bytes: 1 << 20, Objects: 10},
			"the command looks at more than 4 places in this object",
		},
		{
			"places that are set", `modify(spec.a[*] = 1);`, "spec: {a: " + numbers(0, 20) + "}",
			Limits{Steps: 10, Bytes: 1 << 20, Objects: 10},
			"the command looks at more than 10 places in this object",
		},
		{
			"places that a value comes from", `modify(spec.b = spec.a[*]);`, "spec: {a: [{x: 1}, {x: 2}]}",
			Limits{Steps: 1, Bytes: 1 << 20, Objects: 10},
			"the command looks at more than 1 places in this object",
		},
		{
			"values of a list", `delete(spec.a[*] in [100, 101, 102, 103, 104]);`, "spec: {a: " + numbers(0, 20) + "}",
			Limits{Steps: 50, Bytes: 1 << 20, Objects: 10},
			"the command looks at more than 50 places in this object",
		},
		{
			"places of variables", `delete($x := spec.a[*] | $x == spec.b[*]);`, "spec: {a: " + numbers(0, 20) + ", b: " + numbers(20, 40) + "}",
			Limits{Steps: 100, Bytes: 1 << 20, Objects: 10},
			"the command looks at more than 100 places in this object",
		},
		{
			"bytes of a value", `modify(spec.b = spec.a);`, "spec: {a: " + strings.Repeat("x", 200) + "}",
			Limits{Steps: 100, Bytes: 400, Objects: 10},
			"the object grows beyond 400 bytes",
		},
		{
			"bytes of many values", `modify(spec.a[*] = "0123456789");`, "spec: {a: " + numbers(0, 50) + "}",
			Limits{Steps: 100, Bytes: 400, Objects: 10},
			"the object grows beyond 400 bytes",
		},
		{
			"objects", `duplicate(*, 10);`, "",
			Limits{Steps: 100, Bytes: 1 << 20, Objects: 9},
			"one object would become more than 9",
		},
		{
			"objects of copies", `duplicate(*, 3); duplicate(*, 3);`, "",
			Limits{Steps: 100, Bytes: 1 << 20, Objects: 12},
			"one object would become more than 12",
		},
		{
			"length of a copy's name", `modify(metadata.name = "` + strings.Repeat("n", 250) + `"); duplicate(*, 1);`, "",
			DefaultLimits(), "would be longer than 253 bytes",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := New(compile(t, test.program), 0, test.limits)
			m.Event(0)
			outputs, err := m.Apply(pod(t, test.fields), 0)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error: got %v and %d outputs, want %q", err, len(outputs), test.want)
			}
		})
	}
}

// TestMachine_LimitsInTime checks that a command fails soon after it exceeds its limit, not at its
// end.
func TestMachine_LimitsInTime(t *testing.T) {
	const places, limit = 300, 1000
	fields := fmt.Sprintf("spec: {a: %s, b: %s}", numbers(0, places), numbers(places, 2*places))
	for _, selector := range []string{
		`spec.a[*] == spec.b[*]`,
		`spec.a[*] > spec.b[*]`,
		`spec.a[*] in ` + numbers(places, 2*places),
		`$x := spec.a[*] | $x == spec.b[*]`,
	} {
		t.Run(selector[:20], func(t *testing.T) {
			m := New(compileSelector(t, selector), 0, Limits{Steps: limit, Bytes: 1 << 20, Objects: 10})
			if _, err := m.Matches(0, pod(t, fields)); err == nil {
				t.Fatal("error: got none, want that of the limit")
			}
			if got, want := m.steps, limit+2*places+10; got > want {
				t.Errorf("steps: got %d, want at most %d", got, want)
			}
		})
	}
}

// TestMachine_MatchesAfterError checks that an error does not affect the next result.
func TestMachine_MatchesAfterError(t *testing.T) {
	selector := compileSelector(t, `$x := spec.a[*] | $x.num < 5 && $y := spec.b[*] | $y.num < 5 && $x.num == 1 && $y.num == 2`)
	m := New(selector, 0, DefaultLimits())
	bad := pod(t, "spec: {a: [{num: true}], b: []}")
	if _, err := m.Matches(0, bad); err == nil {
		t.Fatal("error: got none, want that true cannot be compared")
	}
	good := pod(t, "spec: {a: [{num: 1}], b: [{num: 2}]}")
	got, err := m.Matches(0, good)
	if err != nil || !got {
		t.Errorf("behind an error: got %t, %v, want true", got, err)
	}
}

func TestProgram_Traits(t *testing.T) {
	for _, test := range []struct {
		program string
		want    Traits
	}{
		{`remove(status);`, Traits{MovesRecords: true}},
		{`modify(spec.replicas = 1); scale(*, 2);`, Traits{MovesRecords: true}},
		{`delete(metadata.namespace == "ci");`, Traits{Drops: true, MovesRecords: true}},
		{`delete(exists(spec));`, Traits{Drops: true, DropsSome: true, MovesRecords: true}},
		{`delete(@t > 1m);`, Traits{Drops: true, DropsSome: true, MovesRecords: true}},
		{`modify(kind == "A", metadata.name = "b");`, Traits{Renames: true, MovesRecords: true}},
		{`modify(@t > 1m, metadata.name = "b");`, Traits{Renames: true, DropsSome: true, MovesRecords: true}},
		{`modify(metadata.name = spec.name);`, Traits{Renames: true, DropsSome: true, MovesRecords: true}},
		{`modify(metadata.labels.name = "b");`, Traits{MovesRecords: true}},
		{`remove(metadata.namespace);`, Traits{Renames: true, MovesRecords: true}},
		{`shift(kind == "A", 1m);`, Traits{Moves: true, MovesRecords: true}},
		{`shift(exists(spec), 1m);`, Traits{Moves: true}},
		{`duplicate(*, 1); shift(metadata.name == "a", 1m);`, Traits{Copies: true, Moves: true}},
		{`shift(metadata.name == "a", 1m); duplicate(*, 1);`, Traits{Copies: true, Moves: true, MovesRecords: true}},
		{`duplicate(*, 1); shift(kind == "A", 1m);`, Traits{Copies: true, Moves: true, MovesRecords: true}},
		{`modify(exists(spec), kind = "B"); shift(kind == "A", 1m);`, Traits{Renames: true, DropsSome: true, Moves: true}},
		{`insert(0s, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}});`, Traits{Inserts: true, MovesRecords: true}},
	} {
		t.Run(test.program, func(t *testing.T) {
			if diff := cmp.Diff(test.want, compile(t, test.program).Traits()); diff != "" {
				t.Errorf("traits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMachine_Delete(t *testing.T) {
	for _, test := range []struct {
		program       string
		dropped, copy bool
		name          string // the new name of the record; empty if unchanged
		shift         int64
	}{
		{program: `remove(status);`},
		{program: `delete(metadata.name == "p");`, dropped: true},
		{program: `delete(metadata.name == "q");`},
		{program: `delete(exists(spec));`},
		{program: `delete(*);`, dropped: true},
		{program: `shift(kind == "Pod", 1m); shift(*, -10s);`, shift: 50},
		{program: `modify(metadata.name = "q");`, name: "n/q"},
		{program: `modify(metadata.name = kind);`, name: "n/Pod"},
		{program: `modify(metadata.name = spec.name); delete(metadata.name == "p");`},
		{program: `modify(exists(spec), metadata.name = "q"); delete(@t == 5);`, dropped: true},
		{program: `remove(metadata.namespace); delete(metadata.namespace == "n");`, name: "p"},
		{program: `duplicate(*, 1); delete(metadata.name == "p");`, dropped: true, copy: true},
		{program: `duplicate(*, 1); delete(kind == "Pod");`, dropped: true},
		{program: `modify(metadata.name = "q"); duplicate(*, 1); delete(metadata.name == "q");`, dropped: true, copy: true, name: "n/q"},
	} {
		t.Run(test.program, func(t *testing.T) {
			m := New(compile(t, test.program), 0, DefaultLimits())
			m.Event(5)
			found, err := m.Delete(record(t, "n/p"))
			if err != nil {
				t.Fatal(err)
			}
			name := ""
			if found.Raw != nil {
				obj, err := trace.ParseObject(found.Raw)
				if err != nil {
					t.Fatal(err)
				}
				name = obj.NamespacedName()
			}
			if found.Dropped != test.dropped || found.Copied != test.copy || found.Shift != test.shift || name != test.name {
				t.Errorf("got %+v and the name %q, want %+v", found, name, test)
			}
		})
	}
}
