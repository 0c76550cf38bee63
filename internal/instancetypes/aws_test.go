package instancetypes

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Some types have the capacity, the overhead and the labels that they have with Karpenter on EKS.
func TestAWS(t *testing.T) {
	list, err := Builtin(AWS)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*Type{}
	for i := range list.Types {
		byName[list.Types[i].Name] = &list.Types[i]
	}
	type want struct {
		Architecture       string
		Capacity, Overhead map[string]string
		Offerings          int
		OnDemand, Spot     float64
		Labels             map[string]string
	}
	for name, want := range map[string]want{
		"m5.large": {
			"amd64",
			map[string]string{"cpu": "2", "memory": "7577Mi", "pods": "29", "ephemeral-storage": "20Gi", "vpc.amazonaws.com/pod-eni": "9"},
			map[string]string{"cpu": "70m", "memory": "674Mi", "ephemeral-storage": "3Gi"},
			10, 0.096, 0.0384,
			map[string]string{
				"topology.kubernetes.io/region": "us-east-1", "karpenter.k8s.aws/instance-category": "m", "karpenter.k8s.aws/instance-generation": "5",
				"karpenter.k8s.aws/instance-family": "m5", "karpenter.k8s.aws/instance-size": "large", "karpenter.k8s.aws/instance-cpu": "2",
				"karpenter.k8s.aws/instance-memory": "8192", "karpenter.k8s.aws/instance-hypervisor": "nitro", "karpenter.k8s.aws/instance-cpu-manufacturer": "intel",
				"karpenter.k8s.aws/instance-cpu-sustained-clock-speed-mhz": "3100", "karpenter.k8s.aws/instance-network-bandwidth": "750",
				"karpenter.k8s.aws/instance-ebs-bandwidth": "4750", "karpenter.k8s.aws/instance-encryption-in-transit-supported": "false",
				"karpenter.k8s.aws/instance-tenancy": "default", "karpenter.k8s.aws/instance-capability-flex": "false",
			},
		},
		"g5.12xlarge": {
			"amd64",
			map[string]string{"cpu": "48", "memory": "181862Mi", "pods": "737", "ephemeral-storage": "20Gi", "vpc.amazonaws.com/pod-eni": "107", "vpc.amazonaws.com/efa": "1", "nvidia.com/gpu": "4"},
			map[string]string{"cpu": "190m", "memory": "8462Mi", "ephemeral-storage": "3Gi"},
			10, 5.672, 2.2688,
			map[string]string{
				"karpenter.k8s.aws/instance-gpu-name": "a10g", "karpenter.k8s.aws/instance-gpu-count": "4", "karpenter.k8s.aws/instance-gpu-manufacturer": "nvidia",
				"karpenter.k8s.aws/instance-gpu-memory": "22888", "karpenter.k8s.aws/instance-local-nvme": "3800",
			},
		},
		"inf2.xlarge": {
			"amd64",
			map[string]string{"cpu": "4", "memory": "15155Mi", "pods": "58", "ephemeral-storage": "20Gi", "vpc.amazonaws.com/pod-eni": "18", "aws.amazon.com/neuron": "1", "aws.amazon.com/neuroncore": "2"},
			map[string]string{"cpu": "80m", "memory": "993Mi", "ephemeral-storage": "3Gi"},
			8, 0.7582, 0.30328,
			map[string]string{"karpenter.k8s.aws/instance-accelerator-name": "inferentia2", "karpenter.k8s.aws/instance-accelerator-count": "1"},
		},
		"c6g.medium": {
			"arm64",
			map[string]string{"cpu": "1", "memory": "1835Mi", "pods": "8", "ephemeral-storage": "20Gi", "vpc.amazonaws.com/pod-eni": "4"},
			map[string]string{"cpu": "60m", "memory": "443Mi", "ephemeral-storage": "3Gi"},
			10, 0.034, 0.0136,
			map[string]string{"karpenter.k8s.aws/instance-cpu-manufacturer": "aws", "karpenter.k8s.aws/instance-category": "c", "karpenter.k8s.aws/instance-memory": "2048"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := byName[name]
			if got == nil {
				t.Fatal("it is not in the list")
			}
			if got.Architecture != want.Architecture || len(got.Offerings) != want.Offerings || got.Price(OnDemand) != want.OnDemand || !near(got.Price(Spot), want.Spot) {
				t.Errorf("got %s, %d offerings, %v, %v", got.Architecture, len(got.Offerings), got.Price(OnDemand), got.Price(Spot))
			}
			if diff := cmp.Diff(want.Capacity, amounts(got.Capacity)); diff != "" {
				t.Errorf("capacity (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.Overhead, amounts(got.Overhead)); diff != "" {
				t.Errorf("overhead (-want +got):\n%s", diff)
			}
			for key, value := range want.Labels {
				if got.Labels[key] != value {
					t.Errorf("label %s is %q, not %q", key, got.Labels[key], value)
				}
			}
			if name == "m5.large" && len(got.Labels) != len(want.Labels) {
				t.Errorf("it has %d labels, not %d: %v", len(got.Labels), len(want.Labels), got.Labels)
			}
		})
	}
	if u := byName["u-6tb1.56xlarge"]; u == nil || u.Labels["karpenter.k8s.aws/instance-category"] != "u" || u.Labels["karpenter.k8s.aws/instance-generation"] != "1" || len(u.Offerings) == 0 {
		t.Errorf("u-6tb1.56xlarge: %+v", u)
	} else if !math.IsNaN(u.Price(Spot)) {
		t.Errorf("u-6tb1.56xlarge has a spot price, %v", u.Price(Spot))
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

// The page says how many types the lists have.
func TestBuiltin_Docs(t *testing.T) {
	page, err := os.ReadFile("../../docs/instance-types.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{General: "general.yaml", AWS: "aws.csv"} {
		list, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("[%d types](../internal/instancetypes/%s)", len(list.Types), file); !strings.Contains(string(page), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
}

// An error has the line of the table.
func TestParseAWS_Invalid(t *testing.T) {
	lines := strings.SplitAfter(awsTable, "\n")
	first := 0
	for strings.HasPrefix(lines[first], "#") {
		first++
	}
	head := strings.Join(lines[:first+1], "")
	for name, c := range map[string]struct{ line, want string }{
		"figure":  {strings.Replace(lines[first+1], ",1,", ",one,", 1), `aws:21: strconv.ParseInt: parsing "one"`},
		"columns": {"a,b\n", "aws:21: record on line 21: wrong number of fields"},
		"device":  {strings.TrimSuffix(lines[first+1], "\n") + "gpu\n", `aws:21: invalid device "gpu": must have 5 parts`},
	} {
		if _, err := parseAWS(head + c.line); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
