package instancetypes

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validate/content"
)

const (
	apiVersion = "simkube.io/v1"
	kind       = "InstanceTypes"
)

// Defaults of what a file need not say.
const (
	defaultArchitecture    = "amd64"
	defaultOperatingSystem = "linux"
	defaultPods            = "110"
)

// header is what a file has beside its types.
type header struct {
	APIVersion string            `yaml:"apiVersion" json:"apiVersion"`
	Kind       string            `yaml:"kind" json:"kind"`
	Zones      []string          `yaml:"zones,omitempty,flow" json:"zones,omitempty"`
	SpotShare  *float64          `yaml:"spotShare,omitempty" json:"spotShare,omitempty"`
	Overhead   map[string]string `yaml:"overhead,omitempty,flow" json:"overhead,omitempty"`
}

// file is the format of a file.
type file struct {
	header `yaml:",inline"`
	Types  []yaml.Node `yaml:"types" json:"types"`
}

// entry is one type in a file.
type entry struct {
	Name            string            `yaml:"name" json:"name"`
	Architecture    string            `yaml:"architecture,omitempty" json:"architecture,omitempty"`
	OperatingSystem string            `yaml:"operatingSystem,omitempty" json:"operatingSystem,omitempty"`
	Labels          map[string]string `yaml:"labels,omitempty,flow" json:"labels,omitempty"`
	Capacity        map[string]string `yaml:"capacity,flow" json:"capacity"`
	Overhead        map[string]string `yaml:"overhead,omitempty,flow" json:"overhead,omitempty"`
	Zones           []string          `yaml:"zones,omitempty,flow" json:"zones,omitempty"`
	Price           *float64          `yaml:"price,omitempty" json:"price,omitempty"`
	SpotShare       *float64          `yaml:"spotShare,omitempty" json:"spotShare,omitempty"`
	Offerings       []offering        `yaml:"offerings,omitempty" json:"offerings,omitempty"`
	Startup         *startup          `yaml:"startup,omitempty,flow" json:"startup,omitempty"`
}

type offering struct {
	Zone         string   `yaml:"zone" json:"zone"`
	CapacityType string   `yaml:"capacityType" json:"capacityType"`
	Price        *float64 `yaml:"price" json:"price"`
	Available    *bool    `yaml:"available,omitempty" json:"available,omitempty"`
}

type startup struct {
	Median string `yaml:"median" json:"median"`
	P99    string `yaml:"p99,omitempty" json:"p99,omitempty"`
}

// Parse parses a file of instance types, in YAML or JSON. All problems are in one error, each with
// the name of the file and a line.
func Parse(name string, data []byte) (*List, error) {
	var f file
	if err := decodeFile(data, &f); err != nil {
		return nil, inFile(name, 0, err)
	}
	if f.APIVersion != apiVersion || f.Kind != kind {
		return nil, fmt.Errorf("%s: is of %q, kind %q: must be of %s, kind %s", name, f.APIVersion, f.Kind, apiVersion, kind)
	}
	var problems []error
	if len(f.Types) == 0 {
		problems = append(problems, fmt.Errorf("%s: it has no types", name))
	}
	list := &List{}
	lines := map[string]int{}
	for i := range f.Types {
		node := &f.Types[i]
		var e entry
		if err := decodeStrictly(node, &e); err != nil {
			problems = append(problems, inFile(name, node.Line, err))
			continue
		}
		t, found := f.convert(&e)
		if line, ok := lines[e.Name]; ok && e.Name != "" {
			found = append(found, fmt.Errorf("it is in line %d as well", line))
		}
		for _, err := range found {
			problems = append(problems, fmt.Errorf("%s:%d: type %q: %w", name, node.Line, e.Name, err))
		}
		lines[e.Name] = node.Line
		list.Types = append(list.Types, t)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return list, nil
}

// convert returns a type with the defaults of the file, and what is wrong with it.
func (f *header) convert(e *entry) (Type, []error) {
	var problems []error
	check := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	t := Type{
		Name:            e.Name,
		Architecture:    cmp.Or(e.Architecture, defaultArchitecture),
		OperatingSystem: cmp.Or(e.OperatingSystem, defaultOperatingSystem),
		Labels:          e.Labels,
	}
	for key, value := range map[string]string{"name": t.Name, "architecture": t.Architecture, "operatingSystem": t.OperatingSystem} {
		check(labelValue(key, value))
	}
	for _, key := range slices.Sorted(maps.Keys(t.Labels)) {
		if len(content.IsLabelKey(key)) > 0 {
			check(fmt.Errorf("invalid label %q: must be a name, or a domain and a name", key))
		}
		check(labelValue("label "+key, t.Labels[key]))
	}
	var err error
	t.Capacity, err = quantities("capacity", e.Capacity)
	check(err)
	if _, ok := t.Capacity[corev1.ResourcePods]; !ok && err == nil {
		t.Capacity[corev1.ResourcePods] = resource.MustParse(defaultPods)
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if q := t.Capacity[name]; err == nil && q.Sign() <= 0 {
			check(fmt.Errorf("invalid capacity: %s must be more than 0", name))
		}
	}
	overhead := e.Overhead
	if overhead == nil {
		overhead = f.Overhead
	}
	t.Overhead, err = quantities("overhead", overhead)
	check(err)
	if e.Startup != nil {
		t.Startup, err = e.Startup.parse()
		check(err)
	}
	offerings, found := f.offerings(e)
	t.Offerings = offerings
	return t, append(problems, found...)
}

func labelValue(field, value string) error {
	if value == "" || len(content.IsLabelValue(value)) > 0 {
		return fmt.Errorf("invalid %s %q: must be up to 63 letters, digits, '-', '_' and '.', as it is a label of nodes", field, value)
	}
	return nil
}

// quantities parses resources.
func quantities(field string, in map[string]string) (corev1.ResourceList, error) {
	out := corev1.ResourceList{}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if len(content.IsLabelKey(name)) > 0 {
			problems = append(problems, fmt.Errorf("invalid %s %q: must be the name of a resource, such as cpu or nvidia.com/gpu", field, name))
			continue
		}
		q, err := ParseQuantity(in[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("invalid %s %s %q: %w", field, name, in[name], err))
			continue
		}
		out[corev1.ResourceName(name)] = q
	}
	return out, errors.Join(problems...)
}

// offerings returns the offerings of a type: its own, or one for each zone and capacity type.
func (f *header) offerings(e *entry) ([]Offering, []error) {
	var out []Offering
	var problems []error
	if e.Offerings == nil {
		zones := e.Zones
		if zones == nil {
			zones = f.Zones
		}
		share := e.SpotShare
		if share == nil {
			share = f.SpotShare
		}
		if len(zones) == 0 {
			problems = append(problems, errors.New("it has no zones: the file or the type must have some"))
		}
		if err := price("price", e.Price); err != nil {
			return nil, append(problems, err)
		}
		if share != nil && !(*share > 0 && *share <= 1) {
			return nil, append(problems, fmt.Errorf("invalid spotShare %v: must be more than 0 and at most 1", *share))
		}
		for _, zone := range zones {
			out = append(out, Offering{zone, OnDemand, *e.Price, true})
			if share != nil {
				out = append(out, Offering{zone, Spot, *e.Price * *share, true})
			}
		}
	} else if e.Price != nil || e.SpotShare != nil || e.Zones != nil {
		problems = append(problems, errors.New("it has offerings: it must not have a price, a spotShare or zones"))
	}
	for _, o := range e.Offerings {
		if err := price("price of an offering", o.Price); err != nil {
			problems = append(problems, err)
			continue
		}
		out = append(out, Offering{o.Zone, o.CapacityType, *o.Price, o.Available == nil || *o.Available})
	}
	seen := map[[2]string]bool{}
	for _, o := range out {
		if o.CapacityType != OnDemand && o.CapacityType != Spot {
			problems = append(problems, fmt.Errorf("invalid capacityType %q: must be %s or %s", o.CapacityType, OnDemand, Spot))
		}
		if err := labelValue("zone", o.Zone); err != nil {
			problems = append(problems, err)
		}
		key := [2]string{o.Zone, o.CapacityType}
		if seen[key] {
			problems = append(problems, fmt.Errorf("it has two offerings of %s in zone %s", o.CapacityType, o.Zone))
		}
		seen[key] = true
	}
	if len(out) == 0 && len(problems) == 0 {
		problems = append(problems, errors.New("it has no offerings"))
	}
	return out, problems
}

func price(field string, value *float64) error {
	if value == nil || !(*value >= 0) || math.IsInf(*value, 0) {
		shown := "none"
		if value != nil {
			shown = fmt.Sprint(*value)
		}
		return fmt.Errorf("invalid %s %s: must be a number of US dollars per hour, 0 or more", field, shown)
	}
	return nil
}

// parse returns the durations, or what is wrong with them.
func (s *startup) parse() (Startup, error) {
	var out Startup
	var problems []error
	for _, field := range []struct {
		name, value string
		into        *time.Duration
	}{{"median", s.Median, &out.Median}, {"p99", s.P99, &out.P99}} {
		if field.name == "p99" && field.value == "" {
			continue
		}
		d, err := time.ParseDuration(field.value)
		if err != nil || d <= 0 {
			problems = append(problems, fmt.Errorf("invalid startup %s %q: must be a duration of more than 0, such as 40s or 1m30s", field.name, field.value))
			continue
		}
		*field.into = d
	}
	if len(problems) == 0 && out.P99 != 0 && out.P99 < out.Median {
		problems = append(problems, fmt.Errorf("invalid startup p99 %q: must be at least the median, %s", s.P99, s.Median))
	}
	return out, errors.Join(problems...)
}
