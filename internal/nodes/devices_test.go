package nodes

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	resourcev1 "k8s.io/api/resource/v1"

	"simkube.io/simkube/trace"
)

func deviceClass(t *testing.T, name, expression string) trace.Object {
	return object(t, fmt.Sprintf(`{apiVersion: resource.k8s.io/v1, kind: DeviceClass, metadata: {name: %s}, spec: {selectors: [{cel: {expression: %q}}]}}`, name, expression))
}

func claimTemplate(t *testing.T, name, requests string) trace.Object {
	return object(t, fmt.Sprintf(`{apiVersion: resource.k8s.io/v1, kind: ResourceClaimTemplate, metadata: {namespace: prod, name: %s}, spec: {spec: {devices: {requests: [%s]}}}}`, name, requests))
}

func claiming(template string) string {
	return podSpec("1", "1Gi", fmt.Sprintf("resourceClaims: [{name: d, resourceClaimTemplateName: %s}]", template))
}

func TestPrepare_AutoMakesClaimedDevices(t *testing.T) {
	plan, err := Prepare(Spec{}, survey(nil, applied(
		deployment(t, "plain", 3, podSpec("1", "1Gi", "")),
		deviceClass(t, "gpu", `device.driver == "gpu.example.com" && device.attributes["gpu.example.com"].type == "gpu"`),
		claimTemplate(t, "two", `{name: a, exactly: {deviceClassName: gpu, count: 2, selectors: [{cel: {expression: 'device.capacity["gpu.example.com"].memory.compareTo(quantity("40Gi")) >= 0'}}]}}`),
		deployment(t, "train", 5, claiming("two")),
	)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"5"}, kinds(plan)); diff != "" {
		t.Errorf("nodes without what makes devices known: %s", diff)
	}
	want := []string{
		"3 nodes of cpu=32,memory=128Gi,pods=110 with 8 devices of gpu for the pods of apps/v1.Deployment prod/train (peak at 12:00 UTC: 5 pods, 5 cores, 5 GiB, 10 devices of gpu; limited by device-class/gpu; +1 for rollouts)",
		"24 devices of gpu.example.com on 3 nodes, which resource claims select",
	}
	if diff := cmp.Diff(want, plan.Given); diff != "" {
		t.Error(diff)
	}
	if got, want := len(plan.Devices.Slices), 3; got != want {
		t.Fatalf("got %d slices, want %d", got, want)
	}
	slice := plan.Devices.Slices[0].Spec
	if slice.Driver != "gpu.example.com" || *slice.NodeName != "node-0003" || len(slice.Devices) != 8 {
		t.Errorf("got %d devices of %s on %s, want 8 of gpu.example.com on node-0003", len(slice.Devices), slice.Driver, *slice.NodeName)
	}
	device := slice.Devices[0]
	if kind := device.Attributes["gpu.example.com/type"].StringValue; kind == nil || *kind != "gpu" {
		t.Errorf("got attributes %v, want the type gpu", device.Attributes)
	}
	if memory := device.Capacity["gpu.example.com/memory"].Value; memory.String() != "40Gi" {
		t.Errorf("got memory %s, want 40Gi", memory.String())
	}
}

func TestPrepare_AutoMakesDevicesThatAllSelectorsCanCompare(t *testing.T) {
	plan, err := Prepare(Spec{}, survey(nil, applied(
		deviceClass(t, "a", `device.attributes["x.example.com"].fast && device.attributes["x.example.com"].cores >= 4`),
		deviceClass(t, "b", `device.capacity["x.example.com"].memory.compareTo(quantity("1Gi")) >= 0 && device.attributes["x.example.com"].model == "m"`),
		claimTemplate(t, "a", "{name: a, exactly: {deviceClassName: a}}"),
		claimTemplate(t, "b", "{name: b, exactly: {deviceClassName: b}}"),
		deployment(t, "a", 1, claiming("a")),
		deployment(t, "b", 1, claiming("b")),
	)))
	if err != nil {
		t.Fatal(err)
	}
	for _, slice := range plan.Devices.Slices {
		for _, device := range slice.Spec.Devices {
			if len(device.Attributes) != 3 || len(device.Capacity) != 1 {
				t.Errorf("got %v and %v on %s, want fast, cores, model, and memory", device.Attributes, device.Capacity, *slice.Spec.NodeName)
			}
			a := device.Attributes["x.example.com/fast"].BoolValue
			m := device.Attributes["x.example.com/model"].StringValue
			if *a == (*m == "m") {
				t.Errorf("got fast=%t and model=%s, want a device of one class", *a, *m)
			}
		}
	}
}

func TestPrepare_AutoMakesAClassThatIsNotInTheTrace(t *testing.T) {
	plan, err := Prepare(Spec{}, survey(nil, applied(
		claimTemplate(t, "one", "{name: a, exactly: {deviceClassName: gpu.example.com}}"),
		deployment(t, "train", 1, claiming("one")),
	)))
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Devices.Classes) != 1 || plan.Devices.Classes[0].Name != "gpu.example.com" {
		t.Errorf("got classes %v, want gpu.example.com", plan.Devices.Classes)
	}
	if got, want := len(plan.Devices.Slices), 2; got != want {
		t.Errorf("got %d slices, want %d", got, want)
	}
}

func TestPrepare_AutoSharesAClaim(t *testing.T) {
	plan, err := Prepare(Spec{}, survey(nil, applied(
		deviceClass(t, "gpu", `device.driver == "gpu.example.com"`),
		object(t, `{apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {namespace: prod, name: shared}, spec: {devices: {requests: [{name: a, exactly: {deviceClassName: gpu}}]}}}`),
		deployment(t, "serve", 4, podSpec("20", "1Gi", "resourceClaims: [{name: d, resourceClaimName: shared}]")),
	)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2 cpu=128"}, kinds(plan)); diff != "" {
		t.Errorf("nodes with room for all pods: %s", diff)
	}
}

func TestPrepare_ClaimsThatCannotBeMet(t *testing.T) {
	demand := survey(nil, applied(
		deviceClass(t, "odd", `device.attributes["x.example.com"].name.matches("a+") || true`),
		claimTemplate(t, "one", "{name: a, exactly: {deviceClassName: odd}}"),
		deployment(t, "odd", 1, claiming("one")),
		deployment(t, "lost", 1, claiming("none")),
	))
	plan, err := Prepare(Spec{}, demand)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`pods of apps/v1.Deployment prod/odd stay pending: no device can be made for the selector "device.attributes[\"x.example.com\"].name.matches(\"a+\") || true"`,
		"pods of apps/v1.Deployment prod/lost stay pending: the ResourceClaimTemplate prod/none is not in the trace",
	}
	if diff := cmp.Diff(want, plan.Notes); diff != "" {
		t.Error(diff)
	}
	plan, err = Prepare(Spec{Count: 2}, demand)
	if err != nil {
		t.Fatal(err)
	}
	want = []string{"pods of apps/v1.Deployment prod/lost and prod/odd claim devices: they stay pending unless the trace has ResourceSlices for these nodes, or with --nodes auto, which makes devices"}
	if diff := cmp.Diff(want, plan.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestDeviceKind_Read(t *testing.T) {
	tests := []struct{ expression, want string }{
		{`device.driver == 'a.example.com'`, "a.example.com"},
		{`(device.attributes["a.example.com"].healthy) && "a.example.com" in device.attributes`, "a.example.com/healthy=true"},
		{`!device.attributes["a.example.com"].virtual`, "a.example.com/virtual=false"},
		{`device.attributes["a.example.com"]["cores"] >= 4`, "a.example.com/cores=4"},
		{`device.attributes["a.example.com"].cores > 4`, "a.example.com/cores=5"},
		{`device.attributes["a.example.com"].model in ["x", "y"]`, "a.example.com/model=x"},
		{`device.attributes["a.example.com"].version.compareTo(semver("1.2.3")) >= 0`, "a.example.com/version=1.2.3"},
		{`device.capacity["a.example.com"].memory.isGreaterThan(quantity("1Gi"))`, "a.example.com/memory=1073741825"},
		{`device.attributes["a.example.com"].model != "x"`, "error"},
		{`device.attributes["a.example.com"].x == "1" || true`, "error"},
	}
	for _, test := range tests {
		kind := &deviceKind{
			attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{},
			capacity:   map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{},
		}
		got := "error"
		if err := kind.read(test.expression); err == nil {
			got = kind.driver
			for name, a := range kind.attributes {
				switch {
				case a.BoolValue != nil:
					got += fmt.Sprintf("%s=%t", name, *a.BoolValue)
				case a.IntValue != nil:
					got += fmt.Sprintf("%s=%d", name, *a.IntValue)
				case a.StringValue != nil:
					got += fmt.Sprintf("%s=%s", name, *a.StringValue)
				case a.VersionValue != nil:
					got += fmt.Sprintf("%s=%s", name, *a.VersionValue)
				}
			}
			for name, c := range kind.capacity {
				got += fmt.Sprintf("%s=%s", name, c.Value.String())
			}
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.expression, got, test.want)
		}
	}
}
