package nodes

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"simkube.io/simkube/internal/words"
)

// formatAmount formats an amount of a resource for people, with three significant digits: "402
// cores", "1.2 TiB", "312 pods", "nvidia.com/gpu 8".
func formatAmount(name corev1.ResourceName, amount int64) string {
	switch {
	case name == corev1.ResourceCPU:
		if amount == 1000 {
			return "1 core"
		}
		return threeDigits(float64(amount)/1000) + " cores"
	case name == corev1.ResourcePods:
		return words.Count(amount, "pod")
	case name == corev1.ResourceMemory:
		return formatBytes(amount)
	case strings.HasPrefix(string(name), devicePrefix):
		return fmt.Sprintf("%s of %s", words.Count(amount, "device"), strings.TrimPrefix(string(name), devicePrefix))
	case strings.HasPrefix(string(name), volumePrefix):
		return fmt.Sprintf("%s of %s", words.Count(amount, "volume"), strings.TrimPrefix(string(name), volumePrefix))
	case name == corev1.ResourceEphemeralStorage, strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix):
		return fmt.Sprintf("%s of %s", formatBytes(amount), name)
	}
	return fmt.Sprintf("%d %s", amount, name)
}

func formatBytes(amount int64) string {
	value := float64(amount)
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	unit := 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return threeDigits(value) + " " + units[unit]
}

// threeDigits rounds to three significant digits, without trailing zeros. The integer part is never
// rounded.
func threeDigits(value float64) string {
	if value >= 1000 {
		return words.Number(int64(math.Round(value)))
	}
	decimals := 2 - int(math.Floor(math.Log10(max(value, 0.001))))
	text := strconv.FormatFloat(value, 'f', max(decimals, 0), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
