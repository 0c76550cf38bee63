package karpenter

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/planetest"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/internal/instancetypes"
)

// The clients of the control plane that the tests share.
var (
	kube    kubernetes.Interface
	objects dynamic.Interface
	// handover is that of the component.
	handover = &Handover{}
)

// basePool needs a label that no test's pod selects.
const basePool = `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: base}
spec:
  template:
    metadata: {labels: {case: none}}
    spec:
      nodeClassRef: {group: simkube.io, kind: NodeClass, name: fast}
      requirements: []
---
apiVersion: simkube.io/v1
kind: NodeClass
metadata: {name: fast}
spec: {startup: {median: 500ms}, termination: {median: 500ms}, startupTaints: {median: 500ms}}
---
apiVersion: simkube.io/v1
kind: NodeClass
metadata: {name: no-spot}
spec: {startup: {median: 500ms}, shortages: [{instanceTypes: [short-2], capacityTypes: [spot]}]}
---
apiVersion: simkube.io/v1
kind: NodeClass
metadata: {name: no-zone-a}
spec: {startup: {median: 500ms}, shortages: [{instanceTypes: [short-3], zones: [zone-a], until: 2h}, {zones: [zone-b], from: 2h}]}
---
apiVersion: simkube.io/v1
kind: NodeClass
metadata: {name: interrupted}
spec: {startup: {median: 500ms}, interruptions: [{perHour: 240, capacityTypes: [spot]}]}
`

func TestMain(m *testing.M) {
	virtualtime.Prepare()
	// The cases wait most of the time.
	if err := flag.Set("test.parallel", "20"); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	pools, err := ParsePools("base.yaml", []byte(basePool))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	component, err := Component(Options{Pools: pools, Types: testTypes(), Seed: 1, Handover: handover, FullLoop: !virtualtime.Enabled})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return planetest.Main(controlplane.Options{
		Controllers: controlplane.SimulationControllers(),
		KubeAPIQPS:  -1,
		Components:  []controlplane.Component{component},
		Minimal:     virtualtime.Enabled,
	}, func(plane *controlplane.ControlPlane) (int, error) {
		if kube, err = kubernetes.NewForConfig(plane.RESTConfig()); err != nil {
			return 1, err
		}
		if objects, err = dynamic.NewForConfig(plane.RESTConfig()); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// testTypes returns types of 2 to 16 CPUs with 4 GiB each, of two architectures, one of them with
// GPUs. A CPU costs 0.10 dollars an hour on demand and 0.04 as spot, a GPU 1 dollar.
func testTypes() *instancetypes.List {
	list := &instancetypes.List{}
	add := func(name, architecture string, cpus int64, labels map[string]string, gpus int64) {
		t := instancetypes.Type{
			Name: name, Architecture: architecture, OperatingSystem: "linux", Labels: labels,
			Capacity: corev1.ResourceList{
				corev1.ResourceCPU:              *resource.NewQuantity(cpus, resource.DecimalSI),
				corev1.ResourceMemory:           *resource.NewQuantity(4*cpus<<30, resource.BinarySI),
				corev1.ResourcePods:             resource.MustParse("110"),
				corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
			},
			Overhead: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
		}
		if gpus > 0 {
			t.Capacity["nvidia.com/gpu"] = *resource.NewQuantity(gpus, resource.DecimalSI)
		}
		for _, zone := range []string{"zone-a", "zone-b"} {
			price := 0.1*float64(cpus) + float64(gpus)
			if strings.HasPrefix(name, "short") {
				price *= 20 // so that no other case has it
			}
			t.Offerings = append(t.Offerings,
				instancetypes.Offering{Zone: zone, CapacityType: "on-demand", Price: price, Available: true},
				instancetypes.Offering{Zone: zone, CapacityType: "spot", Price: 0.4 * price, Available: true})
		}
		list.Types = append(list.Types, t)
	}
	for _, cpus := range []int64{2, 4, 8, 16} {
		add(fmt.Sprintf("amd-%d", cpus), "amd64", cpus, map[string]string{"example.com/family": "amd"}, 0)
	}
	add("short-2", "amd64", 2, map[string]string{"example.com/family": "short"}, 0)
	add("short-3", "amd64", 3, map[string]string{"example.com/family": "short"}, 0)
	add("arm-4", "arm64", 4, map[string]string{"example.com/family": "arm"}, 0)
	add("gpu-8", "amd64", 8, map[string]string{"example.com/family": "gpu"}, 1)
	return list
}

// cpus returns the requests of a container.
func cpus(n string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(n)}
}

func background(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

func one() *resource.Quantity { return resource.NewQuantity(1, resource.DecimalSI) }
