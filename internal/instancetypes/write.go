package instancetypes

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
)

// written is a file with types, to be written.
type written struct {
	header `yaml:",inline"`
	Types  []entry `yaml:"types" json:"types"`
}

// WriteYAML writes a list as a file. Parse returns the same list for it.
func WriteYAML(w io.Writer, l *List) error {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(l.file()); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// WriteJSON writes a list as a file, in JSON. Parse returns the same list for it.
func WriteJSON(w io.Writer, l *List) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(l.file())
}

// MarshalYAML writes an offering in one line.
func (o offering) MarshalYAML() (any, error) {
	type plain offering
	var node yaml.Node
	if err := node.Encode(plain(o)); err != nil {
		return nil, err
	}
	node.Style = yaml.FlowStyle
	return &node, nil
}

// file returns a list in the form of a file. What all types have in common is not repeated.
func (l *List) file() written {
	out := written{header: header{APIVersion: apiVersion, Kind: kind}, Types: make([]entry, 0, len(l.Types))}
	for i := range l.Types {
		out.Types = append(out.Types, l.Types[i].entry())
	}
	if len(out.Types) == 0 {
		return out
	}
	first := out.Types[0]
	shares := func(field func(*entry) any) bool {
		return !slices.ContainsFunc(out.Types, func(e entry) bool { return !reflect.DeepEqual(field(&e), field(&first)) })
	}
	if shares(func(e *entry) any { return e.Overhead }) {
		out.Overhead = first.Overhead
	}
	// Without a price, the zones are those of offerings.
	if first.Price != nil && shares(func(e *entry) any { return e.Zones }) {
		out.Zones = first.Zones
	}
	if first.Price != nil && shares(func(e *entry) any { return e.SpotShare }) {
		out.SpotShare = first.SpotShare
	}
	for i := range out.Types {
		e := &out.Types[i]
		if out.Overhead != nil {
			e.Overhead = nil
		}
		if out.Zones != nil {
			e.Zones = nil
		}
		if out.SpotShare != nil {
			e.SpotShare = nil
		}
	}
	return out
}

// entry returns a type in the form of a file.
func (t *Type) entry() entry {
	e := entry{Name: t.Name, Labels: t.Labels, Capacity: amounts(t.Capacity), Overhead: amounts(t.Overhead)}
	if t.Architecture != defaultArchitecture {
		e.Architecture = t.Architecture
	}
	if t.OperatingSystem != defaultOperatingSystem {
		e.OperatingSystem = t.OperatingSystem
	}
	if pods := t.Capacity[corev1.ResourcePods]; pods.String() == defaultPods {
		delete(e.Capacity, string(corev1.ResourcePods))
	}
	if t.Startup != (Startup{}) {
		e.Startup = &startup{Median: t.Startup.Median.String()}
		if t.Startup.P99 != 0 {
			e.Startup.P99 = t.Startup.P99.String()
		}
	}
	if e.Zones, e.Price, e.SpotShare = uniform(t.Offerings); e.Price != nil {
		return e
	}
	for _, o := range t.Offerings {
		written := offering{Zone: o.Zone, CapacityType: o.CapacityType, Price: &o.Price}
		if !o.Available {
			written.Available = &o.Available
		}
		e.Offerings = append(e.Offerings, written)
	}
	return e
}

// amounts returns resources as text, or nil if there are none.
func amounts(list corev1.ResourceList) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]string, len(list))
	for name, q := range list {
		out[string(name)] = q.String()
	}
	return out
}

// uniform returns the zones, the price, and the share of spot prices from which Parse makes these
// offerings, or no price if there are none.
func uniform(offerings []Offering) (zones []string, price, share *float64) {
	if len(offerings) == 0 || offerings[0].CapacityType != OnDemand {
		return nil, nil, nil
	}
	price = &offerings[0].Price
	perZone := 1
	if len(offerings) > 1 && offerings[1].CapacityType == Spot {
		perZone = 2
		if share = shareOf(*price, offerings[1].Price); share == nil {
			return nil, nil, nil
		}
	}
	for i := 0; i < len(offerings); i += perZone {
		zones = append(zones, offerings[i].Zone)
	}
	f := header{Zones: zones, SpotShare: share}
	made, problems := f.offerings(&entry{Price: price})
	if len(problems) > 0 || !slices.Equal(made, offerings) {
		return nil, nil, nil
	}
	return zones, price, share
}

// shareOf returns the share with which a price is exactly another one: the one with the fewest
// digits, or nil.
func shareOf(price, spot float64) *float64 {
	exact := spot / price
	for digits := range 17 {
		power := math.Pow10(digits)
		if share := math.Round(exact*power) / power; share > 0 && share <= 1 && price*share == spot {
			return &share
		}
	}
	return nil
}
