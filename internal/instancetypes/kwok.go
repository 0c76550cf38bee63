package instancetypes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"simkube.io/simkube/internal/words"
)

// Labels of Karpenter, and those that its provider for KWOK gives to nodes.
const (
	capacityTypeLabel = "karpenter.sh/capacity-type"
	kwokLabels        = "karpenter.kwok.sh/"
)

// kwokOverhead is what Karpenter's provider for KWOK reserves on each node.
func kwokOverhead() map[string]string { return map[string]string{"cpu": "100m", "memory": "10Mi"} }

// kwokType is a type in a file of Karpenter's provider for KWOK 1.14
// (kwok/cloudprovider/helpers.go), which does not distinguish upper and lower case in the names of
// fields.
type kwokType struct {
	Name             string                     `json:"name"`
	Offerings        []kwokOffering             `json:"offerings"`
	Architecture     string                     `json:"architecture"`
	OperatingSystems []string                   `json:"operatingSystems"`
	Resources        map[string]json.RawMessage `json:"resources"`
}

type kwokOffering struct {
	Price               *float64                         `json:"Price"`
	Available           *bool                            `json:"Available"`
	ReservationCapacity int                              `json:"ReservationCapacity"`
	CapacityOverride    json.RawMessage                  `json:"CapacityOverride"`
	OverheadOverride    json.RawMessage                  `json:"OverheadOverride"`
	Requirements        []corev1.NodeSelectorRequirement `json:"Requirements"`
	// Zone and CapacityType are used by older releases instead of the requirements.
	Zone         string `json:"zone"`
	CapacityType string `json:"capacityType"`
}

// ParseKWOK parses a file of instance types as Karpenter's provider for KWOK reads it, a JSON
// array. It returns them as that provider understands them: with its labels and its overhead, and
// with all offerings available, sorted by zone and capacity type. The notes say what of the file
// the list does not have. All problems are in one error, each with the name of the file and a line.
func ParseKWOK(name string, data []byte) (list *List, notes []string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	lineAt := (&lineCounter{data: data}).at
	broken := func(err error) error {
		line := lineAt(decoder.InputOffset())
		if errors.Is(err, io.ErrUnexpectedEOF) {
			line = lineAt(int64(len(data)))
		}
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			line = lineAt(syntax.Offset)
		}
		return fmt.Errorf("%s:%d: invalid JSON: %w", name, line, err)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, nil, broken(err)
	}
	if token != json.Delim('[') {
		return nil, nil, fmt.Errorf("%s:%d: must be a JSON array of instance types, as Karpenter's provider for KWOK reads them", name, lineAt(decoder.InputOffset()))
	}
	list = &List{}
	var problems []error
	// lines has the line of each type in the list.
	var lines []int
	var omitted omissions
	for decoder.More() {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, nil, broken(err)
		}
		start := decoder.InputOffset() - int64(len(raw))
		var in kwokType
		if err := json.Unmarshal(raw, &in); err != nil {
			at := start
			if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				at += wrong.Offset
				err = fmt.Errorf("invalid %s: is %s, must be %s", wrong.Field, wrong.Value, jsonKind(wrong.Type))
			}
			problems = append(problems, fmt.Errorf("%s:%d: type %q: %w", name, lineAt(at), in.Name, err))
			continue
		}
		line := lineAt(start)
		omitted.addUnknown(in.Name, raw)
		if in.isEmpty() {
			omitted.add("types without CPUs or memory are left out, since no pod can use them", in.Name)
			continue
		}
		t, found := in.convert(&omitted)
		i := slices.IndexFunc(list.Types, func(other Type) bool { return other.Name == t.Name })
		switch {
		case i < 0 || t.Name == "" || len(found) > 0:
			list.Types, lines = append(list.Types, t), append(lines, line)
		case !sameButOS(&list.Types[i], &t):
			found = append(found, fmt.Errorf("it is in line %d as well, with other values: must have another name", lines[i]))
		default:
			omitted.add("a type that is there for several operating systems or architectures is taken once, for "+defaultOperatingSystem+" if possible", t.Name)
			if preferred(&t) && !preferred(&list.Types[i]) {
				list.Types[i] = t
			}
		}
		for _, err := range found {
			problems = append(problems, fmt.Errorf("%s:%d: type %q: %w", name, line, in.Name, err))
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, nil, broken(err)
	}
	if rest := bytes.TrimSpace(data[decoder.InputOffset():]); len(rest) > 0 {
		problems = append(problems, fmt.Errorf("%s:%d: must end after the array of instance types", name, lineAt(decoder.InputOffset())))
	}
	if len(list.Types) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("%s: it has no types", name))
	}
	if n := len(problems) - maxProblems; n > 0 {
		problems = append(problems[:maxProblems], fmt.Errorf("%s: there are %s more", name, words.Count(n, "problem")))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, nil, err
	}
	return list, omitted.notes(), nil
}

// lineCounter finds the lines of offsets. It is fast if they increase.
type lineCounter struct {
	data    []byte
	counted int64
	lines   int
}

func (c *lineCounter) at(offset int64) int {
	offset = min(offset, int64(len(c.data)))
	if offset < c.counted {
		c.counted, c.lines = 0, 0
	}
	c.lines += bytes.Count(c.data[c.counted:offset], []byte("\n"))
	c.counted = offset
	return c.lines + 1
}

// maxProblems is how many problems of a file are shown. Files are generated, with the same problem
// in each type.
const maxProblems = 10

// isEmpty reports whether a type has no CPUs or no memory, as types in generated files.
func (in *kwokType) isEmpty() bool {
	for _, name := range []string{"cpu", "memory"} {
		q, err := ParseQuantity(strings.Trim(string(in.Resources[name]), `"`))
		if in.Resources[name] != nil && err == nil && q.IsZero() {
			return true
		}
	}
	return false
}

// sameButOS reports whether two types differ at most in the operating system and the architecture.
func sameButOS(a, b *Type) bool {
	return maps.Equal(a.Labels, b.Labels) && maps.EqualFunc(a.Capacity, b.Capacity, resource.Quantity.Equal) && slices.Equal(a.Offerings, b.Offerings)
}

// preferred reports whether a type is for what most clusters have.
func preferred(t *Type) bool {
	return t.OperatingSystem == defaultOperatingSystem && t.Architecture != "386"
}

// jsonKind returns what values of a type are in JSON.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	default:
		return "number"
	}
}

// convert returns a type, and what is wrong with it.
func (in *kwokType) convert(omitted *omissions) (Type, []error) {
	e := entry{Name: in.Name, Architecture: in.Architecture, Capacity: map[string]string{}, Overhead: kwokOverhead(), Labels: map[string]string{}, Offerings: []offering{}}
	var problems []error
	switch in.Architecture {
	case "x86_64", "i386":
		// Names of EC2, which the labels of nodes do not have.
		e.Architecture = map[string]string{"x86_64": "amd64", "i386": "386"}[in.Architecture]
		omitted.add("the architecture "+in.Architecture+" is "+e.Architecture+", as in the labels of nodes", in.Name)
	case "":
		problems = append(problems, errors.New("it has no architecture: must be that of nodes, such as amd64"))
	}
	switch {
	case len(in.OperatingSystems) == 0:
		problems = append(problems, errors.New("it has no operatingSystems: must be a list with one, such as linux"))
	case slices.Contains(in.OperatingSystems, defaultOperatingSystem):
		e.OperatingSystem = defaultOperatingSystem
	default:
		e.OperatingSystem = in.OperatingSystems[0]
	}
	if len(in.OperatingSystems) > 1 {
		omitted.add("operating systems beside "+e.OperatingSystem+" are left out, since a type has one", in.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(in.Resources)) {
		// A quantity is a string or a number.
		e.Capacity[name] = strings.Trim(string(in.Resources[name]), `"`)
	}
	labels := newCommonLabels()
	for i := range in.Offerings {
		o := &in.Offerings[i]
		zones, capacityTypes, found := o.places(omitted, in.Name)
		problems = append(problems, found...)
		price := o.Price
		if price == nil {
			price = new(float64)
			omitted.add("offerings without a price cost nothing, as in that provider", in.Name)
		}
		if o.Available != nil && !*o.Available {
			omitted.add("offerings that are not available are available, as in that provider", in.Name)
		}
		o.others(omitted, in.Name)
		labels.add(o.Requirements)
		for _, zone := range zones {
			for _, capacityType := range capacityTypes {
				e.Offerings = append(e.Offerings, offering{Zone: zone, CapacityType: capacityType, Price: price})
			}
		}
	}
	labels.into(&e, omitted)
	slices.SortStableFunc(e.Offerings, func(a, b offering) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.CapacityType, b.CapacityType))
	})
	t, found := (&header{}).convert(&e)
	if len(found) == 0 {
		maps.Copy(t.Labels, kwokTypeLabels(&t))
		for _, key := range slices.Sorted(maps.Keys(t.Labels)) {
			if err := labelValue("label "+key, t.Labels[key]); err != nil {
				found = append(found, err)
			}
		}
	}
	return t, append(problems, found...)
}

// places returns the zones and capacity types of an offering.
func (o *kwokOffering) places(omitted *omissions, name string) (zones, capacityTypes []string, problems []error) {
	if len(o.Requirements) == 0 && o.Zone != "" && o.CapacityType != "" {
		return []string{o.Zone}, []string{o.CapacityType}, nil
	}
	for _, r := range o.Requirements {
		if r.Key != corev1.LabelTopologyZone && r.Key != capacityTypeLabel {
			continue
		}
		if r.Operator != corev1.NodeSelectorOpIn || len(r.Values) == 0 {
			problems = append(problems, fmt.Errorf("invalid requirement of %s: must have the operator In and values", r.Key))
		}
		if r.Key == corev1.LabelTopologyZone {
			zones = r.Values
			continue
		}
		for _, value := range r.Values {
			if value == "reserved" {
				omitted.add("offerings of reserved capacity are left out", name)
				continue
			}
			capacityTypes = append(capacityTypes, value)
		}
	}
	for _, key := range []string{corev1.LabelTopologyZone, capacityTypeLabel} {
		if !o.requires(key) {
			problems = append(problems, fmt.Errorf("an offering has no requirement of %s: each must have one", key))
		}
	}
	return zones, capacityTypes, problems
}

func (o *kwokOffering) requires(key string) bool {
	return slices.ContainsFunc(o.Requirements, func(r corev1.NodeSelectorRequirement) bool { return r.Key == key })
}

// others notes what else an offering has.
func (o *kwokOffering) others(omitted *omissions, name string) {
	if o.ReservationCapacity != 0 {
		omitted.add("ReservationCapacity is left out", name)
	}
	for field, value := range map[string]json.RawMessage{"CapacityOverride": o.CapacityOverride, "OverheadOverride": o.OverheadOverride} {
		if len(value) > 0 && string(value) != "null" {
			omitted.add(field+" of offerings is left out: a type has the same capacity and overhead in all offerings", name)
		}
	}
}
