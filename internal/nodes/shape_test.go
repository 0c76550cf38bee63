package nodes

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestParseShape(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"empty is the default", "", "cpu=32,memory=128Gi,pods=110"},
		{"what is left out keeps its default", "nvidia.com/gpu=8", "cpu=32,memory=128Gi,pods=110,nvidia.com/gpu=8"},
		{
			"everything", " memory=16Gi, cpu=3500m,pods=20,ephemeral-storage=10Gi,hugepages-2Mi=1Gi,taint.dedicated=x:NoSchedule,label.disktype=ssd,nvidia.com/gpu=8 ",
			"cpu=3500m,memory=16Gi,pods=20,ephemeral-storage=10Gi,hugepages-2Mi=1Gi,nvidia.com/gpu=8,label.disktype=ssd,taint.dedicated=x:NoSchedule",
		},
		{"scratch space at its default", "ephemeral-storage=1Ti", "cpu=32,memory=128Gi,pods=110"},
		{"labels dealt out", "label.topology.kubernetes.io/zone=eu-1a|eu-1b", "cpu=32,memory=128Gi,pods=110,label.topology.kubernetes.io/zone=eu-1a|eu-1b"},
		{"an empty label", "label.edge=", "cpu=32,memory=128Gi,pods=110,label.edge="},
		{"a taint without a value, and two effects", "taint.a=:NoExecute,taint.a=:NoSchedule", "cpu=32,memory=128Gi,pods=110,taint.a=:NoExecute,taint.a=:NoSchedule"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			shape, err := ParseShape(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := shape.String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestParseShape_Errors(t *testing.T) {
	tests := []struct {
		text, want string
	}{
		{"cpu", `node shape "cpu", at character 1, "cpu": no value; must be NAME=VALUE, such as cpu=32`},
		{"cpu=1,,pods=3", `node shape "cpu=1,,pods=3", at character 7, "": empty part; must be NAME=VALUE`},
		{"cpu=1, mem=4Gi", `node shape "cpu=1, mem=4Gi", at character 8, "mem=4Gi": unknown resource "mem"; must be cpu, memory, pods, ephemeral-storage, hugepages-SIZE, an extended resource such as nvidia.com/gpu, label.KEY and taint.KEY`},
		{"cpu=many", `node shape "cpu=many", at character 1, "cpu=many": "many" is not a quantity; must be a number with an optional suffix, such as 500m, 32 or 128Gi`},
		{"cpu=0", `node shape "cpu=0", at character 1, "cpu=0": cpu must be more than 0`},
		{"cpu=-4", `node shape "cpu=-4", at character 1, "cpu=-4": cpu must be more than 0`},
		{"pods=1.5", `node shape "pods=1.5", at character 1, "pods=1.5": pods must be a whole number`},
		{"cpu=1u", `node shape "cpu=1u", at character 1, "cpu=1u": cpu must be a multiple of 1m, such as 500m`},
		{"memory=4Ei", `node shape "memory=4Ei", at character 1, "memory=4Ei": 4Ei is more than any node has; the largest accepted is 1000000000000000`},
		{"cpu=4,cpu=8", `node shape "cpu=4,cpu=8", at character 7, "cpu=8": cpu is set twice`},
		{"hugepages-x=1", `node shape "hugepages-x=1", at character 1, "hugepages-x=1": hugepages-SIZE must have a page size, such as hugepages-2Mi`},
		{"a/b/c=1", `node shape "a/b/c=1", at character 1, "a/b/c=1": "a/b/c" is not a resource name: a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`},
		{"label.kubernetes.io/hostname=a", `node shape "label.kubernetes.io/hostname=a", at character 1, "label.kubernetes.io/hostname=a": the label kubernetes.io/hostname is set by SimKube itself`},
		{"taint.kwok-provider=:NoSchedule", `node shape "taint.kwok-provider=:NoSchedule", at character 1, "taint.kwok-provider=:NoSchedule": the taint kwok-provider is set by SimKube itself`},
		{"taint.a=b", `node shape "taint.a=b", at character 1, "taint.a=b": a taint must end in its effect: :NoSchedule, :PreferNoSchedule or :NoExecute`},
		{"taint.a=b:Never", `node shape "taint.a=b:Never", at character 1, "taint.a=b:Never": a taint must end in its effect: :NoSchedule, :PreferNoSchedule or :NoExecute`},
		{"taint.a=:NoSchedule,taint.a=b:NoSchedule", `node shape "taint.a=:NoSchedule,taint.a=b:NoSchedule", at character 21, "taint.a=b:NoSchedule": taint.a:NoSchedule is set twice`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			_, err := ParseShape(test.text)
			var shapeErr *ShapeError
			if !errors.As(err, &shapeErr) {
				t.Fatalf("got %v, want a *ShapeError", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestShape_ZeroIsDefault(t *testing.T) {
	if got, want := (Shape{}).String(), DefaultShape().String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	cpu := Build(1, Shape{})[0].Status.Allocatable[corev1.ResourceCPU]
	if cpu.Cmp(resource.MustParse("32")) != 0 {
		t.Errorf("got cpu=%s, want 32", cpu.String())
	}
}

func FuzzParseShape(f *testing.F) {
	for _, seed := range []string{
		"", "cpu=32,memory=128Gi,pods=110,nvidia.com/gpu=8,label.disktype=ssd,taint.dedicated=x:NoSchedule",
		"cpu=1e3,memory=1.5Gi", "label.a=b|c|,taint.a=:NoExecute", ",,", "hugepages-1Gi=4Gi", "cpu==,label.=,taint.=:",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shape, err := ParseShape(text)
		if err != nil {
			var shapeErr *ShapeError
			if !errors.As(err, &shapeErr) || shapeErr.Offset < 0 || shapeErr.Offset > len(text) {
				t.Fatalf("ParseShape(%q): %v, want a *ShapeError within the text", text, err)
			}
			return
		}
		again, err := ParseShape(shape.String())
		if err != nil {
			t.Fatalf("ParseShape(%q), from %q: %v", shape, text, err)
		}
		if got, want := again.String(), shape.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if nodes := Build(3, shape); len(nodes) != 3 {
			t.Errorf("got %d nodes, want 3", len(nodes))
		}
	})
}
