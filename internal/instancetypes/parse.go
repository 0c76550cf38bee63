package instancetypes

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

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

// file is the format of a file.
type file struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Zones      []string          `yaml:"zones"`
	SpotShare  *float64          `yaml:"spotShare"`
	Overhead   map[string]string `yaml:"overhead"`
	Types      []yaml.Node       `yaml:"types"`
}

// entry is one type in a file.
type entry struct {
	Name            string            `yaml:"name"`
	Architecture    string            `yaml:"architecture"`
	OperatingSystem string            `yaml:"operatingSystem"`
	Labels          map[string]string `yaml:"labels"`
	Capacity        map[string]string `yaml:"capacity"`
	Overhead        map[string]string `yaml:"overhead"`
	Zones           []string          `yaml:"zones"`
	Price           *float64          `yaml:"price"`
	SpotShare       *float64          `yaml:"spotShare"`
	Offerings       []offering        `yaml:"offerings"`
}

type offering struct {
	Zone         string   `yaml:"zone"`
	CapacityType string   `yaml:"capacityType"`
	Price        *float64 `yaml:"price"`
	Available    *bool    `yaml:"available"`
}

// Parse parses a file of instance types, in YAML or JSON. All problems are in one error, each with
// the name of the file and a line.
func Parse(name string, data []byte) (*List, error) {
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return nil, fmt.Errorf("%s: %w", name, err)
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
		problem := func(err error) { problems = append(problems, fmt.Errorf("%s:%d: %w", name, node.Line, err)) }
		var e entry
		if err := decodeStrictly(node, &e); err != nil {
			problem(err)
			continue
		}
		t, found := f.convert(&e)
		for _, err := range found {
			problem(fmt.Errorf("type %q: %w", e.Name, err))
		}
		if line, ok := lines[e.Name]; ok && e.Name != "" {
			problem(fmt.Errorf("type %q: it is in line %d as well", e.Name, line))
		}
		lines[e.Name] = node.Line
		list.Types = append(list.Types, t)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return list, nil
}

// decodeStrictly decodes a node without unknown fields.
func decodeStrictly(node *yaml.Node, into any) error {
	data, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err = decoder.Decode(into)
	// The lines in this error are those of the type alone.
	if typeError, ok := errors.AsType[*yaml.TypeError](err); ok && len(typeError.Errors) > 0 {
		_, text, _ := bytes.Cut([]byte(typeError.Errors[0]), []byte(": "))
		return errors.New(string(text))
	}
	return err
}

// convert returns a type with the defaults of the file, and what is wrong with it.
func (f *file) convert(e *entry) (Type, []error) {
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
		q, err := resource.ParseQuantity(in[name])
		if err != nil || q.Sign() < 0 {
			problems = append(problems, fmt.Errorf("invalid %s %s %q: must be a quantity of 0 or more, such as 4, 500m or 16Gi", field, name, in[name]))
			continue
		}
		out[corev1.ResourceName(name)] = q
	}
	return out, errors.Join(problems...)
}

// offerings returns the offerings of a type: its own, or one for each zone and capacity type.
func (f *file) offerings(e *entry) ([]Offering, []error) {
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
