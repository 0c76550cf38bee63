package nodes

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"simkube.io/simkube/internal/words"
)

// ShapeError is returned for a node shape that cannot be parsed.
type ShapeError struct {
	Shape  string // the whole text
	Offset int    // of the invalid part in Shape, in bytes
	Part   string // the invalid part
	Reason string // why it is invalid, and what is valid
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("node shape %q, at character %d, %q: %s", e.Shape, e.Offset+1, e.Part, e.Reason)
}

// ParseShape parses a node shape: comma-separated parts, each one of
//
//	RESOURCE=QUANTITY          cpu, memory, pods, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME
//	label.KEY=VALUE[|VALUE]... several values are assigned to the nodes round robin
//	taint.KEY=[VALUE]:EFFECT   NoSchedule, PreferNoSchedule or NoExecute
//
// such as
// cpu=32,memory=128Gi,pods=110,nvidia.com/gpu=8,label.disktype=ssd,taint.dedicated=x:NoSchedule.
// Resources of [DefaultShape] that are not named keep their size, so the empty text is the default.
// Errors are of type *ShapeError.
func ParseShape(text string) (Shape, error) {
	shape := DefaultShape()
	seen := map[string]bool{}
	offset := 0
	for raw := range strings.SplitSeq(text, ",") {
		part := strings.TrimSpace(raw)
		if part == "" && strings.TrimSpace(text) == "" {
			break
		}
		start := offset + strings.Index(raw, part)
		offset += len(raw) + 1
		key, value, found := strings.Cut(part, "=")
		reason := ""
		switch {
		case part == "":
			reason = "empty part; must be NAME=VALUE"
		case !found:
			reason = "no value; must be NAME=VALUE, such as cpu=32"
		default:
			reason = shape.set(key, value, seen)
		}
		if reason != "" {
			return Shape{}, &ShapeError{Shape: text, Offset: start, Part: part, Reason: reason}
		}
	}
	return shape, nil
}

// set sets one part in the shape. It returns why the part is invalid, or "".
func (s *Shape) set(key, value string, seen map[string]bool) string {
	// Taints with the same key may differ in effect, so for taints the effect is part of the identity.
	identity := key
	if label, ok := strings.CutPrefix(key, "label."); ok {
		if reason := s.setLabel(label, value); reason != "" {
			return reason
		}
	} else if taint, ok := strings.CutPrefix(key, "taint."); ok {
		if reason := s.setTaint(taint, value); reason != "" {
			return reason
		}
		identity += ":" + value[strings.LastIndexByte(value, ':')+1:]
	} else if reason := s.setResource(corev1.ResourceName(key), value); reason != "" {
		return reason
	}
	if seen[identity] {
		return fmt.Sprintf("%s is set twice", identity)
	}
	seen[identity] = true
	return ""
}

const acceptedNames = "must be cpu, memory, pods, ephemeral-storage, hugepages-SIZE, " +
	"an extended resource such as nvidia.com/gpu, label.KEY and taint.KEY"

func (s *Shape) setResource(name corev1.ResourceName, value string) string {
	native := name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourcePods ||
		name == corev1.ResourceEphemeralStorage
	hugePages := strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
	switch {
	case native:
	case hugePages:
		size, err := ParseQuantity(strings.TrimPrefix(string(name), corev1.ResourceHugePagesPrefix))
		if err != nil || size.Sign() <= 0 {
			return "hugepages-SIZE must have a page size, such as hugepages-2Mi"
		}
	case !strings.Contains(string(name), "/"):
		return fmt.Sprintf("unknown resource %q; %s", name, acceptedNames)
	default:
		if problems := validation.IsQualifiedName(string(name)); len(problems) > 0 {
			return fmt.Sprintf("%q is not a resource name: %s", name, problems[0])
		}
	}
	quantity, err := ParseQuantity(value)
	if errors.Is(err, errOutOfRange) {
		return fmt.Sprintf("%q is more than any node has; the largest accepted is %d", words.ClipBytes(value, maxShown), int64(maxQuantity))
	}
	if err != nil {
		return fmt.Sprintf("%q is not a quantity; must be a number with an optional suffix, such as 500m, 32 or 128Gi", value)
	}
	// The scheduler counts in 64 bits; a larger quantity would overflow there.
	if quantity.Cmp(*resource.NewQuantity(maxQuantity, resource.DecimalSI)) > 0 {
		return fmt.Sprintf("%s is more than any node has; the largest accepted is %d", value, int64(maxQuantity))
	}
	required := name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourcePods
	if quantity.Sign() < 0 || required && quantity.Sign() == 0 {
		return fmt.Sprintf("%s must be more than 0", name)
	}
	whole := resource.NewQuantity(quantity.Value(), quantity.Format)
	if name != corev1.ResourceCPU && whole.Cmp(quantity) != 0 {
		return fmt.Sprintf("%s must be a whole number", name)
	}
	if name == corev1.ResourceCPU && resource.NewMilliQuantity(quantity.MilliValue(), quantity.Format).Cmp(quantity) != 0 {
		return "cpu must be a multiple of 1m, such as 500m"
	}
	s.Resources[name] = quantity
	return ""
}

// maxQuantity is the largest amount of a resource: about 1 PB of memory. In thousandths it fits in
// 64 bits with room for sums.
const maxQuantity = 1_000_000_000_000_000

// reservedLabels have a fixed value on a simulated node.
var reservedLabels = []string{corev1.LabelHostname}

func (s *Shape) setLabel(key, value string) string {
	if problems := validation.IsQualifiedName(key); len(problems) > 0 {
		return fmt.Sprintf("%q is not a label key: %s", key, problems[0])
	}
	if slices.Contains(reservedLabels, key) {
		return fmt.Sprintf("the label %s is set by SimKube itself", key)
	}
	values := strings.Split(value, "|")
	for _, v := range values {
		if problems := validation.IsValidLabelValue(v); len(problems) > 0 {
			return fmt.Sprintf("%q is not a label value: %s", v, problems[0])
		}
	}
	if s.Labels == nil {
		s.Labels = map[string][]string{}
	}
	s.Labels[key] = values
	return ""
}

func (s *Shape) setTaint(key, text string) string {
	if problems := validation.IsQualifiedName(key); len(problems) > 0 {
		return fmt.Sprintf("%q is not a taint key: %s", key, problems[0])
	}
	if key == taintKey {
		return fmt.Sprintf("the taint %s is set by SimKube itself", key)
	}
	at := strings.LastIndexByte(text, ':')
	effects := []corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute}
	if at < 0 || !slices.Contains(effects, corev1.TaintEffect(text[at+1:])) {
		return "a taint must end in its effect: :NoSchedule, :PreferNoSchedule or :NoExecute"
	}
	value := text[:at]
	if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
		return fmt.Sprintf("%q is not a taint value: %s", value, problems[0])
	}
	s.Taints = append(s.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(text[at+1:])})
	return ""
}
