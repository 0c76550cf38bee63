package main

import (
	"archive/zip"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// ec2 is what is read from moto: answers of EC2's API.
type ec2 struct {
	types map[string]*instanceType
	// zones are the last letters of the names of zones, by type.
	zones map[string]string
	// date is when the package was made.
	date string
}

// instanceType is a type as in the answer of DescribeInstanceTypes.
type instanceType struct {
	Hypervisor                   string
	SupportedUsageClasses        []string
	SupportedVirtualizationTypes []string
	ProcessorInfo                struct {
		Manufacturer             string
		SupportedArchitectures   []string
		SustainedClockSpeedInGhz float64
	}
	VCPUInfo    struct{ DefaultVCPUs int64 } `json:"VCpuInfo"`
	MemoryInfo  struct{ SizeInMiB int64 }
	NetworkInfo struct {
		DefaultNetworkCardIndex      int
		EncryptionInTransitSupported bool
		IPv4AddressesPerInterface    int64 `json:"Ipv4AddressesPerInterface"`
		NetworkCards                 []struct {
			NetworkCardIndex         int
			MaximumNetworkInterfaces int64
		}
		EfaInfo struct{ MaximumEfaInterfaces int64 }
	}
	EbsInfo struct {
		EbsOptimizedSupport string
		EbsOptimizedInfo    struct{ MaximumBandwidthInMbps int64 }
	}
	InstanceStorageInfo struct {
		NvmeSupport   string
		TotalSizeInGB int64
	}
	GpuInfo                  struct{ Gpus []device }
	InferenceAcceleratorInfo struct{ Accelerators []device }
	NeuronInfo               struct{ NeuronDevices []device }
}

// device is a GPU or another accelerator.
type device struct {
	Name, Manufacturer string
	Count              int64
	MemoryInfo         struct{ SizeInMiB int64 }
	CoreInfo           struct{ Count int64 }
}

func readMoto(path string) (*ec2, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	out := &ec2{zones: map[string]string{}}
	const types = "moto/ec2/resources/instance_types.json.gz"
	if err := readJSON(archive, types, &out.types); err != nil {
		return nil, fmt.Errorf("%s: %w", types, err)
	}
	const zones = "moto/ec2/resources/instance_type_offerings/availability-zone/" + region + ".json.gz"
	var offerings []struct{ InstanceType, Location string }
	if err := readJSON(archive, zones, &offerings); err != nil {
		return nil, fmt.Errorf("%s: %w", zones, err)
	}
	for _, o := range offerings {
		letter, ok := strings.CutPrefix(o.Location, region)
		if !ok || len(letter) != 1 {
			return nil, fmt.Errorf("%s: %s is in %q: must be a zone of %s", zones, o.InstanceType, o.Location, region)
		}
		out.zones[o.InstanceType] += letter
	}
	for name, letters := range out.zones {
		sorted := []byte(letters)
		slices.Sort(sorted)
		out.zones[name] = string(slices.Compact(sorted))
	}
	for _, f := range archive.File {
		if f.Name == types {
			out.date = f.Modified.UTC().Format("2006-01-02")
		}
	}
	return out, nil
}

func readJSON(archive *zip.ReadCloser, path string, into any) error {
	f, err := archive.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	return json.NewDecoder(r).Decode(into)
}
