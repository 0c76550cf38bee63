package xray

import (
	"context"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/trace"
)

func TestModel_Frames(t *testing.T) {
	sizes := []struct {
		name          string
		width, height int
		opts          Options
	}{
		{"80x24", 80, 24, Options{Unicode: true}},
		{"140x40", 140, 40, Options{Unicode: true}},
		{"40x10", 40, 10, Options{}},
		{"colour", 100, 20, Options{Unicode: true, Colour: true}},
	}
	for _, tc := range []struct {
		name string
		keys []string
	}{
		{"start", nil},
		{"open", []string{"space"}},
		{"object", []string{"down", "enter"}},
		{"whole", []string{"down", "enter", "d"}},
		{"changes", []string{"down", "enter", "d", "d"}},
		{"scrolled", []string{"enter", "ctrl+d", "down", "l"}},
		{"end", []string{"end", "space", "down", "enter"}},
		{"versions", []string{"end", "space", "down", "[", "["}},
		{"filter", []string{"f"}},
		{"filtered", []string{"f", "type:deployment", "enter", "enter", "down"}},
		{"filtered_nothing", []string{"f", "type:Volcano", "enter"}},
		{"filter_error", []string{"f", "up", "type:spec.replicas >", "enter"}},
		{"search", []string{"/", "type:web"}},
		{"searched", []string{"/", "type:Cpu", "enter", "n", "enter"}},
		{"not_found", []string{"/", "type:nothing like this", "enter"}},
		{"time", []string{"t", "type:+2m", "enter"}},
		{"time_error", []string{"t", "type:noon", "enter"}},
		{"pods", []string{"p"}},
		{"findings", []string{"v"}},
		{"finding", []string{"v", "down", "enter"}},
		{"help", []string{"?"}},
	} {
		for _, size := range sizes {
			t.Run(tc.name+"_"+size.name, func(t *testing.T) {
				opts := size.opts
				opts.Name = "first-steps.sktrace"
				opts.Compile = compileForTest
				opts.Check = checkForTest
				d := newDriver(t, openTrace(t, firstSteps), size.width, size.height, opts)
				d.send(findingsMsg{more: findingsForTest(), done: true})
				d.keys(tc.keys...).golden(t, tc.name+"_"+size.name)
			})
		}
	}
}

func TestModel_VariedFrames(t *testing.T) {
	path := variedTrace(t)
	for _, tc := range []struct {
		name          string
		width, height int
		keys          []string
	}{
		{"start", 80, 24, nil},
		{"start_wide", 140, 30, nil},
		{"open", 80, 24, []string{"space", "down", "down"}},
		{"hostile", 80, 24, []string{"space", "down", "down", "enter"}},
		{"hostile_right", 80, 24, []string{"space", "down", "down", "enter", "l", "l"}},
		{"pods", 80, 24, []string{"down", "space", "down", "p"}},
		{"pods_wide", 140, 24, []string{"down", "space", "down", "p"}},
		{"pods_of_pod", 80, 24, []string{"space", "down", "down", "down", "down", "p"}},
		{"deleted", 80, 24, []string{"type:g+4000s", "enter", "space", "down", "enter"}},
		{"again", 80, 24, []string{"end", "enter"}},
		{"event", 80, 24, []string{"space", "enter"}},
		{"empty_event", 80, 24, []string{"down", "down"}},
		{"filtered", 80, 24, []string{"f", "tab", "tab", "type:web", "enter"}},
		{"searched_in_filter", 80, 24, []string{"f", "tab", "tab", "type:web", "enter", "/", "type:THREE", "enter"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDriver(t, openTrace(t, path), tc.width, tc.height, Options{Name: "varied.sktrace", Unicode: true})
			d.keys(tc.keys...).golden(t, tc.name)
		})
	}
}

func compileForTest(source string) (Match, error) {
	if kind, ok := strings.CutPrefix(source, "kind == "); ok {
		return func(_ int64, obj *trace.Object) (bool, error) { return obj.GVK().Kind == kind, nil }, nil
	}
	return nil, errors.New("1:17: want a value\n  " + source + "\n  " + strings.Repeat(" ", len(source)) + "^")
}

func checkForTest(_ context.Context, report func(Finding)) error {
	for _, f := range findingsForTest() {
		report(f)
	}
	return nil
}

func findingsForTest() []Finding {
	web := timeline.Key{GVK: schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, Namespace: "demo", Name: "web"}
	shell := timeline.Key{GVK: schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, Namespace: "demo", Name: "shell"}
	return []Finding{
		{
			Event: 0, Object: web, Code: "W0000", Severity: SeverityWarning, Message: "the manifest has a status", Field: "status", Count: 3,
			Help: "A replay writes it to a cluster in which other things are true. remove(status); takes it away.",
		},
		{
			Event: 2, Object: shell, Code: "E0002", Severity: SeverityError, Message: "the secret demo/tls is not in the trace",
			Field: "spec.containers[0].env[1].valueFrom.secretKeyRef.name", Help: "Pods of it will not start.",
		},
	}
}
