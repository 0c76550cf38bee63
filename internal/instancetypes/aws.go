package instancetypes

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// awsSpotShare is the price of spot instances as a share of the price on demand. It is an
// assumption: spot prices change all the time and differ between types and zones.
const awsSpotShare = 0.4

const (
	awsRegion = "us-east-1"
	// awsLabels is the domain of the labels of Karpenter's provider for AWS.
	awsLabels = "karpenter.k8s.aws/"
	// awsVolume is the default size of the root volume.
	awsVolume = 20 << 30
)

// awsTable is a table of types, which its first lines describe. tools/instancetypes writes it.
//
//go:embed aws.csv
var awsTable string

// The columns of the table.
const (
	awsName = iota
	awsArchitecture
	awsCPUs
	awsMemory
	awsPrice
	awsCapacity
	awsZones
	awsPods
	awsBranches
	awsEFA
	awsNVMe
	awsHypervisor
	awsManufacturer
	awsClock
	awsNetwork
	awsEBS
	awsEncryption
	awsDevices
	awsColumns
)

// parseAWS returns the types of a table, with the labels, the capacity, and the overhead that
// Karpenter's provider for AWS 1.15 (pkg/providers/instancetype/types.go) computes from the same
// figures for a node class with the defaults.
func parseAWS(table string) (*List, error) {
	reader := csv.NewReader(strings.NewReader(table))
	reader.Comment, reader.FieldsPerRecord = '#', awsColumns
	if _, err := reader.Read(); err != nil {
		return nil, fmt.Errorf("%s: %w", AWS, err)
	}
	list := &List{}
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		var t Type
		if err == nil {
			t, err = awsType(fields)
		}
		if err != nil {
			line, _ := reader.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: %w", AWS, line, err)
		}
		list.Types = append(list.Types, t)
	}
}

func awsType(fields []string) (Type, error) {
	figures := map[int]int64{}
	for _, column := range []int{awsCPUs, awsMemory, awsPods, awsBranches, awsEFA, awsNVMe, awsClock, awsNetwork, awsEBS} {
		if fields[column] == "" {
			continue
		}
		n, err := strconv.ParseInt(fields[column], 10, 64)
		if err != nil {
			return Type{}, err
		}
		figures[column] = n
	}
	price, err := strconv.ParseFloat(fields[awsPrice], 64)
	if err != nil {
		return Type{}, err
	}
	memory := awsUsableMemory(figures[awsMemory], fields[awsArchitecture])
	t := Type{
		Name: fields[awsName], Architecture: fields[awsArchitecture], OperatingSystem: defaultOperatingSystem,
		Labels: awsTypeLabels(fields, figures),
		Capacity: corev1.ResourceList{
			corev1.ResourceCPU:              *resource.NewQuantity(figures[awsCPUs], resource.DecimalSI),
			corev1.ResourceMemory:           *resource.NewQuantity(memory, resource.BinarySI),
			corev1.ResourcePods:             *resource.NewQuantity(figures[awsPods], resource.DecimalSI),
			corev1.ResourceEphemeralStorage: *resource.NewQuantity(awsVolume, resource.BinarySI),
		},
		Overhead: awsOverhead(figures[awsCPUs], figures[awsPods]),
	}
	for name, n := range map[corev1.ResourceName]int64{"vpc.amazonaws.com/pod-eni": figures[awsBranches], "vpc.amazonaws.com/efa": figures[awsEFA]} {
		if n > 0 {
			t.Capacity[name] = *resource.NewQuantity(n, resource.DecimalSI)
		}
	}
	if err := t.addAWSDevices(strings.Fields(fields[awsDevices])); err != nil {
		return Type{}, err
	}
	for _, letter := range fields[awsZones] {
		zone := awsRegion + string(letter)
		if strings.Contains(fields[awsCapacity], "o") {
			t.Offerings = append(t.Offerings, Offering{zone, OnDemand, price, true})
		}
		if strings.Contains(fields[awsCapacity], "s") {
			t.Offerings = append(t.Offerings, Offering{zone, Spot, price * awsSpotShare, true})
		}
	}
	return t, nil
}

// awsUsableMemory returns the bytes of memory that Karpenter expects a node to have: without 64 MiB
// that the kernel keeps for devices on arm64, and without 7.5 % for the hypervisor and the kernel.
func awsUsableMemory(mebibytes int64, architecture string) int64 {
	if architecture == "arm64" {
		mebibytes -= 64
	}
	return (mebibytes - int64(math.Ceil(float64(mebibytes)*0.075))) << 20
}

// awsOverhead returns what EKS reserves on a node for the kubelet and the system, together with the
// threshold at which the kubelet evicts pods: 6 % of the first CPU, 1 % of the second, 0.5 % of the
// next two, and 0.25 % of the rest; 255 MiB and 11 MiB for each pod, and 100 MiB; 1 GiB and a tenth
// of the volume.
func awsOverhead(cpus, pods int64) corev1.ResourceList {
	var millis int64
	for _, step := range []struct {
		from, to int64
		share    float64
	}{{0, 1, 60}, {1, 2, 10}, {2, 4, 5}, {4, math.MaxInt64, 2.5}} {
		if n := min(cpus, step.to) - step.from; n > 0 {
			millis += int64(float64(n) * step.share)
		}
	}
	return corev1.ResourceList{
		corev1.ResourceCPU:              *resource.NewMilliQuantity(millis, resource.DecimalSI),
		corev1.ResourceMemory:           *resource.NewQuantity((255+11*pods+100)<<20, resource.BinarySI),
		corev1.ResourceEphemeralStorage: *resource.NewQuantity(1<<30+awsVolume/10, resource.BinarySI),
	}
}

// awsGeneration matches the category and the generation in names such as c6gd.metal and
// u-6tb1.56xlarge.
var awsGeneration = regexp.MustCompile(`^([a-z]+)(?:-\d+tb)?(\d+)[^.]*\.`)

func awsTypeLabels(fields []string, figures map[int]int64) map[string]string {
	family, size, _ := strings.Cut(fields[awsName], ".")
	labels := map[string]string{
		corev1.LabelTopologyRegion:                             awsRegion,
		awsLabels + "instance-family":                          family,
		awsLabels + "instance-size":                            size,
		awsLabels + "instance-cpu":                             fields[awsCPUs],
		awsLabels + "instance-memory":                          fields[awsMemory],
		awsLabels + "instance-tenancy":                         "default",
		awsLabels + "instance-capability-flex":                 strconv.FormatBool(strings.Contains(family, "-flex")),
		awsLabels + "instance-encryption-in-transit-supported": strconv.FormatBool(fields[awsEncryption] != ""),
		awsLabels + "instance-cpu-sustained-clock-speed-mhz":   strconv.FormatInt(figures[awsClock], 10),
	}
	if match := awsGeneration.FindStringSubmatch(fields[awsName]); match != nil {
		labels[awsLabels+"instance-category"], labels[awsLabels+"instance-generation"] = match[1], match[2]
	}
	for label, column := range map[string]int{
		"instance-hypervisor": awsHypervisor, "instance-cpu-manufacturer": awsManufacturer, "instance-local-nvme": awsNVMe,
		"instance-network-bandwidth": awsNetwork, "instance-ebs-bandwidth": awsEBS,
	} {
		if fields[column] != "" {
			labels[awsLabels+label] = fields[column]
		}
	}
	return labels
}

// addAWSDevices adds the resources and labels of devices such as gpu/nvidia/a10g/4/22888. Only
// types with one kind of devices have labels of them.
func (t *Type) addAWSDevices(devices []string) error {
	for _, device := range devices {
		parts := strings.Split(device, "/")
		if len(parts) != 5 {
			return fmt.Errorf("invalid device %q: must have 5 parts", device)
		}
		kind, manufacturer, name := parts[0], parts[1], parts[2]
		n, err := strconv.ParseInt(parts[3], 10, 64)
		if err != nil {
			return err
		}
		prefix := awsLabels + "instance-accelerator-"
		switch {
		case kind == "gpu":
			prefix = awsLabels + "instance-gpu-"
			t.addResource(corev1.ResourceName(manufacturer+".com/gpu"), n)
		case kind == "neuron":
			cores, err := strconv.ParseInt(parts[4], 10, 64)
			if err != nil {
				return err
			}
			t.addResource("aws.amazon.com/neuron", n)
			t.addResource("aws.amazon.com/neuroncore", n*cores)
		}
		if len(devices) > 1 {
			continue
		}
		t.Labels[prefix+"name"], t.Labels[prefix+"manufacturer"], t.Labels[prefix+"count"] = name, manufacturer, parts[3]
		if kind == "gpu" {
			t.Labels[prefix+"memory"] = parts[4]
		}
	}
	return nil
}

// addResource adds an amount to the capacity.
func (t *Type) addResource(name corev1.ResourceName, n int64) {
	q := t.Capacity[name]
	q.Add(*resource.NewQuantity(n, resource.DecimalSI))
	t.Capacity[name] = q
}
