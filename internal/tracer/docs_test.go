package tracer

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// TestDocs_Metrics compares the table in docs/tracer.md with the names and labels of the metrics.
func TestDocs_Metrics(t *testing.T) {
	var there described
	if _, err := NewMetrics(&there); err != nil {
		t.Fatal(err)
	}
	there.MustRegister(newLogCollector(nil))

	data, err := os.ReadFile("../../docs/tracer.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## Metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got []string
	code := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], "`"+namespace) {
			continue
		}
		var labels []string
		for _, match := range code.FindAllStringSubmatch(cells[2], -1) {
			labels = append(labels, match[1])
		}
		got = append(got, code.FindStringSubmatch(cells[1])[1]+"{"+strings.Join(labels, ",")+"}")
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(there.metrics))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("described are other metrics than there are (-there +described):\n%s", diff)
	}
}

// described is a registry that stores the names and labels of metrics.
type described struct{ metrics []string }

var _ prometheus.Registerer = (*described)(nil)

var descText = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// Register implements prometheus.Registerer.
func (d *described) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	for desc := range descs {
		found := descText.FindStringSubmatch(desc.String()) // the only way to read the name
		d.metrics = append(d.metrics, found[1]+"{"+found[2]+"}")
	}
	return nil
}

// MustRegister implements prometheus.Registerer.
func (d *described) MustRegister(collectors ...prometheus.Collector) {
	for _, c := range collectors {
		_ = d.Register(c)
	}
}

// Unregister implements prometheus.Registerer.
func (d *described) Unregister(prometheus.Collector) bool { return false }
