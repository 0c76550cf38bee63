package nodes

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// deviceKind is a device that a claim accepts.
type deviceKind struct {
	driver     string
	attributes map[resourcev1.QualifiedName]resourcev1.DeviceAttribute
	capacity   map[resourcev1.QualifiedName]resourcev1.DeviceCapacity
	// distinct are attributes that differ between the devices of a claim.
	distinct []resourcev1.QualifiedName
}

// selectorError is returned for a selector of devices that is not a conjunction of comparisons.
type selectorError struct{ part string }

func (e *selectorError) Error() string {
	return fmt.Sprintf("no device can be made for the selector %q", e.part)
}

const (
	quoted = `["']([^"']*)["']`
	field  = `\[` + quoted + `\](?:\.(\w+)|\[` + quoted + `\])`
)

// The comparisons of selectors from which a device can be made.
var (
	driverIs     = regexp.MustCompile(`^device\.driver\s*==\s*` + quoted + `$`)
	attributeHas = regexp.MustCompile(`^(!?)\s*device\.attributes` + field + `\s*(.*)$`)
	capacityHas  = regexp.MustCompile(`^device\.capacity` + field + `\s*(.*)$`)
	inDevice     = regexp.MustCompile(`^` + quoted + `\s+in\s+device\.(?:attributes|capacity)$`)

	isText    = regexp.MustCompile(`^(?:\.lowerAscii\(\)\s*)?==\s*` + quoted + `$`)
	oneOf     = regexp.MustCompile(`^in\s*\[\s*` + quoted + `.*\]$`)
	startsAs  = regexp.MustCompile(`^\.(?:startsWith|endsWith|contains)\(` + quoted + `\)$`)
	isBool    = regexp.MustCompile(`^==\s*(true|false)$`)
	isNumber  = regexp.MustCompile(`^(==|>=|<=|>|<)\s*(-?\d+)$`)
	isVersion = regexp.MustCompile(`^\.compareTo\(semver\(` + quoted + `\)\)\s*(?:>=|==|<=)\s*0$`)
	isAmount  = regexp.MustCompile(`^\.(compareTo|isGreaterThan)\(quantity\(` + quoted + `\)\)\s*(.*)$`)
)

// read adds what an expression of a selector requires. The error is a *selectorError.
func (k *deviceKind) read(expression string) error {
	for part := range strings.SplitSeq(expression, "&&") {
		part = strings.TrimSpace(part)
		for strings.HasPrefix(part, "(") && strings.HasSuffix(part, ")") {
			part = strings.TrimSpace(part[1 : len(part)-1])
		}
		if !k.readPart(part) {
			return &selectorError{part}
		}
	}
	return nil
}

func (k *deviceKind) readPart(part string) bool {
	if found := driverIs.FindStringSubmatch(part); found != nil {
		k.driver = found[1]
		return true
	}
	if found := attributeHas.FindStringSubmatch(part); found != nil {
		attribute, ok := attributeOf(found[1] == "!", found[5])
		k.attributes[qualified(found[2], found[3]+found[4])] = attribute
		return ok
	}
	if found := capacityHas.FindStringSubmatch(part); found != nil {
		capacity, ok := capacityOf(found[4])
		k.capacity[qualified(found[1], found[2]+found[3])] = capacity
		return ok
	}
	// The comparisons of its attributes are other parts.
	return inDevice.MatchString(part) || part == "true"
}

func qualified(domain, name string) resourcev1.QualifiedName {
	return resourcev1.QualifiedName(domain + "/" + name)
}

// attributeOf returns an attribute that satisfies a comparison.
func attributeOf(not bool, comparison string) (attribute resourcev1.DeviceAttribute, ok bool) {
	if comparison == "" {
		value := !not
		attribute.BoolValue = &value
		return attribute, true
	}
	for _, text := range []*regexp.Regexp{isText, oneOf, startsAs} {
		if found := text.FindStringSubmatch(comparison); found != nil {
			attribute.StringValue = &found[1]
			return attribute, !not
		}
	}
	if found := isBool.FindStringSubmatch(comparison); found != nil {
		value := found[1] == "true"
		attribute.BoolValue = &value
		return attribute, !not
	}
	if found := isVersion.FindStringSubmatch(comparison); found != nil {
		attribute.VersionValue = &found[1]
		return attribute, !not
	}
	if found := isNumber.FindStringSubmatch(comparison); found != nil {
		value, err := strconv.ParseInt(found[2], 10, 64)
		switch found[1] {
		case ">":
			value++
		case "<":
			value--
		}
		attribute.IntValue = &value
		return attribute, err == nil && !not
	}
	return attribute, false
}

// capacityOf returns a capacity that satisfies a comparison.
func capacityOf(comparison string) (capacity resourcev1.DeviceCapacity, ok bool) {
	found := isAmount.FindStringSubmatch(comparison)
	if found == nil {
		return capacity, false
	}
	value, err := ParseQuantity(found[2])
	if err != nil {
		return capacity, false
	}
	switch strings.ReplaceAll(found[3], " ", "") {
	case ">=0", "==0", "<=0":
	case "", ">0":
		value.Add(*resource.NewQuantity(1, value.Format))
	default:
		return capacity, false
	}
	capacity.Value = value
	return capacity, true
}
