package nodes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestBuild(t *testing.T) {
	shape, err := ParseShape("cpu=4,memory=16Gi,pods=20,ephemeral-storage=0,nvidia.com/gpu=1,label.disktype=ssd|hdd,taint.dedicated=x:NoExecute")
	if err != nil {
		t.Fatal(err)
	}
	nodes := Build(5, shape)
	got, err := yaml.Marshal(nodes[4])
	if err != nil {
		t.Fatal(err)
	}
	const want = `apiVersion: v1
kind: Node
metadata:
  annotations:
    kwok.x-k8s.io/node: fake
  labels:
    beta.kubernetes.io/arch: amd64
    beta.kubernetes.io/os: linux
    disktype: ssd
    kubernetes.io/arch: amd64
    kubernetes.io/hostname: node-0005
    kubernetes.io/os: linux
    node.kubernetes.io/instance-type: cpu4-memory16Gi
    topology.kubernetes.io/region: virtual
    topology.kubernetes.io/zone: virtual-b
    type: virtual
  name: node-0005
spec:
  taints:
  - effect: NoExecute
    key: dedicated
    value: x
status:
  allocatable:
    cpu: "4"
    ephemeral-storage: "0"
    memory: 16Gi
    nvidia.com/gpu: "1"
    pods: "20"
  capacity:
    cpu: "4"
    ephemeral-storage: "0"
    memory: 16Gi
    nvidia.com/gpu: "1"
    pods: "20"
  daemonEndpoints:
    kubeletEndpoint:
      Port: 0
  nodeInfo:
    architecture: ""
    bootID: ""
    containerRuntimeVersion: ""
    kernelVersion: ""
    kubeProxyVersion: ""
    kubeletVersion: ""
    machineID: ""
    operatingSystem: ""
    osImage: ""
    systemUUID: ""
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if got, want := nodes[3].Labels["disktype"], "hdd"; got != want {
		t.Errorf("got disktype=%s on the fourth node, want %s", got, want)
	}
}

func TestBuild_LabelsOfTheShapeWin(t *testing.T) {
	shape, err := ParseShape("label.topology.kubernetes.io/zone=eu-1a")
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range Build(4, shape) {
		if got, want := node.Labels["topology.kubernetes.io/zone"], "eu-1a"; got != want {
			t.Errorf("got zone %s for %s, want %s", got, node.Name, want)
		}
	}
}
