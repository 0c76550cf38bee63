package validate

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"simkube.io/simkube/internal/prerequisite"
)

// reportTrace returns a trace that breaks many rules.
func reportTrace() string {
	return "nodes: [{cpu: '2', memory: 4Gi}]\n" + events(
		at(1_700_000_000,
			deployment("web", `{serviceAccountName: robot, priorityClassName: gold, containers: [{name: a, env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: x}}}],
  resources: {requests: {cpu: "3"}}, volumeMounts: [{name: c, mountPath: /c}]}], volumes: [{name: c, configMap: {name: settings}}]}`),
			deployment("api", `{serviceAccountName: robot}`),
			`{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: p}, status: {phase: Running}}`,
			manifest("example.com/v1 Toy", "bear"),
		),
		at(1_700_000_060, deployment("web", `{serviceAccountName: robot}`)),
		gone(1_700_000_090, manifest("v1 Pod", "lost")),
	)
}

func TestReport_Golden(t *testing.T) {
	report := check(t, makeTrace(t, reportTrace()), Options{})
	for name, write := range map[string]func(*bytes.Buffer) error{
		"report.txt":    func(b *bytes.Buffer) error { return report.WriteText(b, TextOptions{}) },
		"short.txt":     func(b *bytes.Buffer) error { return report.WriteText(b, TextOptions{Max: 1}) },
		"report.json":   func(b *bytes.Buffer) error { return report.WriteJSON(b, "traces/day.sktrace") },
		"report.sarif":  func(b *bytes.Buffer) error { return report.WriteSARIF(b, "traces/last day.sktrace", "v1.2.3") },
		"generate.skel": func(b *bytes.Buffer) error { _, err := b.WriteString(report.GenerateSKEL("day.sktrace")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

// TestReport_Same checks that the report of a trace is deterministic.
func TestReport_Same(t *testing.T) {
	data := makeTrace(t, reportTrace())
	text := func() string {
		var b bytes.Buffer
		report := check(t, data, Options{})
		if err := report.WriteJSON(&b, "x"); err != nil {
			t.Fatal(err)
		}
		return b.String() + report.GenerateSKEL("x")
	}
	want := text()
	for range 20 {
		if got := text(); got != want {
			t.Fatalf("got\n%s\nbefore it was\n%s", got, want)
		}
	}
}

func TestReport_Samples(t *testing.T) {
	for _, name := range []string{"bare-pods", "cronjob", "day", "first-steps"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("..", "..", "examples", name+".sktrace")
			if name == "bare-pods" || name == "cronjob" {
				path = prerequisite.Recording(t, name+".sktrace")
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			for _, opts := range []Options{{}, {Node: shape("cpu=100m,memory=1Gi")}} {
				if err := check(t, data, opts).WriteText(&b, TextOptions{Max: 5}); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, filepath.Join("samples", name+".txt"), b.Bytes())
		})
	}
}

// TestReport_SARIF checks the requirements of the schema of SARIF 2.1.0.
func TestReport_SARIF(t *testing.T) {
	for name, text := range map[string]string{"findings": reportTrace(), "nothing": "events: []"} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := check(t, makeTrace(t, text), Options{}).WriteSARIF(&b, "/tmp/a b.sktrace", ""); err != nil {
				t.Fatal(err)
			}
			var log sarifLog
			decoder := json.NewDecoder(&b)
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&log); err != nil {
				t.Fatal(err)
			}
			run := log.Runs[0]
			if log.Version != "2.1.0" || run.Results == nil || run.Tool.Driver.Name == "" {
				t.Errorf("got %+v", log)
			}
			for _, result := range run.Results {
				if rule := run.Tool.Driver.Rules[result.RuleIndex]; rule.ID != result.RuleID || rule.Configuration.Level != result.Level {
					t.Errorf("result %+v points to rule %+v", result, rule)
				}
				if result.Message.Text == "" || result.Count < 1 || len(result.Locations) != 1 {
					t.Errorf("result %+v", result)
				}
				if got, want := result.Locations[0].Physical.Artifact.URI, "file:///tmp/a%20b.sktrace"; got != want {
					t.Errorf("uri: got %s, want %s", got, want)
				}
			}
		})
	}
}
