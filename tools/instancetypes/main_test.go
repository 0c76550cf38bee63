package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// archive writes a zip file.
func archive(t *testing.T, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for name, text := range files {
		entry, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			var compressed bytes.Buffer
			gz := gzip.NewWriter(&compressed)
			if _, err := gz.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if err := gz.Close(); err != nil {
				t.Fatal(err)
			}
			text = compressed.String()
		}
		if _, err := entry.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

const described = `{
"m5.large": {"Hypervisor": "nitro", "SupportedUsageClasses": ["on-demand", "spot"], "SupportedVirtualizationTypes": ["hvm"],
  "ProcessorInfo": {"Manufacturer": "Intel", "SupportedArchitectures": ["x86_64"], "SustainedClockSpeedInGhz": 3.1},
  "VCpuInfo": {"DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 8192},
  "NetworkInfo": {"DefaultNetworkCardIndex": 0, "Ipv4AddressesPerInterface": 10, "NetworkCards": [{"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 3}]},
  "EbsInfo": {"EbsOptimizedSupport": "default", "EbsOptimizedInfo": {"MaximumBandwidthInMbps": 4750}}},
"g5.xlarge": {"Hypervisor": "nitro", "SupportedUsageClasses": ["on-demand"], "SupportedVirtualizationTypes": ["hvm"],
  "ProcessorInfo": {"Manufacturer": "AMD", "SupportedArchitectures": ["x86_64"], "SustainedClockSpeedInGhz": 3.3},
  "VCpuInfo": {"DefaultVCpus": 4}, "MemoryInfo": {"SizeInMiB": 16384},
  "NetworkInfo": {"EncryptionInTransitSupported": true, "Ipv4AddressesPerInterface": 15, "NetworkCards": [{"MaximumNetworkInterfaces": 4}]},
  "InstanceStorageInfo": {"NvmeSupport": "required", "TotalSizeInGB": 250},
  "GpuInfo": {"Gpus": [{"Name": "A10G", "Manufacturer": "NVIDIA", "Count": 1, "MemoryInfo": {"SizeInMiB": 22888}}]}},
"mac1.metal": {"SupportedUsageClasses": ["on-demand"], "ProcessorInfo": {"SupportedArchitectures": ["x86_64_mac"]}},
"m9.huge": {"SupportedUsageClasses": ["on-demand"], "ProcessorInfo": {"SupportedArchitectures": ["arm64"]}}
}`

const offered = `[{"InstanceType": "m5.large", "Location": "us-east-1b"}, {"InstanceType": "m5.large", "Location": "us-east-1a"},
{"InstanceType": "g5.xlarge", "Location": "us-east-1f"}]`

func TestJoin(t *testing.T) {
	capacity, err := readMoto(archive(t, map[string]string{
		"moto/ec2/resources/instance_types.json.gz":                                      described,
		"moto/ec2/resources/instance_type_offerings/availability-zone/us-east-1.json.gz": offered,
	}))
	if err != nil {
		t.Fatal(err)
	}
	prices := &karpenter{
		prices:    map[string]float64{"m5.large": 0.096, "g5.xlarge": 1.006, "x1.gone": 3},
		bandwidth: map[string]int64{"m5.large": 750}, branches: map[string]int64{"m5.large": 9},
	}
	rows, omitted := join(prices, capacity)
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join(r.fields, ","))
	}
	got = append(got, omitted...)
	want := []string{
		"g5.xlarge,amd64,4,16384,1.006,o,f,58,,,250,nitro,amd,3300,,,y,gpu/nvidia/a10g/1/22888",
		"m5.large,amd64,2,8192,0.096,os,ab,29,9,,,nitro,intel,3100,750,4750,,",
		"1 types are left out, with a price, but no capacity: x1.gone",
		"1 types are left out, with no architecture of Linux: mac1.metal",
		"1 types are left out, with no price: m9.huge",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, r := range rows {
		if len(r.fields) != len(strings.Split(header, ",")) {
			t.Errorf("%s has %d columns: the header has another number", r.name, len(r.fields))
		}
	}
}

func TestReadKarpenter(t *testing.T) {
	var prices, bandwidth, limits strings.Builder
	for i := range 500 {
		name := "m5." + strings.Repeat("x", i) + "large"
		prices.WriteString("\"" + name + "\": 0.096000,\n")
		bandwidth.WriteString("\"" + name + "\": 750,\n")
		limits.WriteString("\"" + name + "\": {Interface: 3, IsTrunkingCompatible: true, BranchInterface: 9},\n")
	}
	const folder = karpenterModule + "@" + karpenterVersion + "/pkg/providers/"
	files := map[string]string{
		folder + "pricing/zz_generated.pricing_aws.go": "package pricing\n\n// generated at 2026-07-20T13:44:30Z for us-east-1\n\n" +
			"var InitialOnDemandPricesAWS = map[string]map[string]float64{\"us-east-1\": {\n" + prices.String() + "}, \"us-east-2\": {\"m6.large\": 1}}\n",
		folder + "instancetype/zz_generated.bandwidth.go": "package instancetype\n\nvar (\n\tInstanceTypeBandwidthMegabits = map[string]int64{\n" + bandwidth.String() + "}\n)\n",
		folder + "instancetype/zz_generated.vpclimits.go": "package instancetype\n\nvar Limits = map[string]*VPCLimits{\n" + limits.String() +
			"\"t3.nano\": {Interface: 2, IsTrunkingCompatible: false, BranchInterface: 0},\n}\n",
	}
	got, err := readKarpenter(archive(t, files))
	if err != nil {
		t.Fatal(err)
	}
	_, nano := got.branches["t3.nano"]
	if len(got.prices) != 500 || got.prices["m5.large"] != 0.096 || got.pricesOf != "2026-07-20T13:44:30Z" || got.bandwidth["m5.xlarge"] != 750 || got.branches["m5.large"] != 9 || nano {
		t.Errorf("got %d prices of %s, m5.large %v, bandwidth %d, branches %d, nano %v", len(got.prices), got.pricesOf, got.prices["m5.large"], got.bandwidth["m5.xlarge"], got.branches["m5.large"], nano)
	}
	files[folder+"instancetype/zz_generated.bandwidth.go"] = "package instancetype\n\nvar Bandwidth = 1\n"
	if _, err := readKarpenter(archive(t, files)); err == nil || !strings.Contains(err.Error(), "has no variable InstanceTypeBandwidthMegabits") {
		t.Errorf("without bandwidths: %v", err)
	}
}
