package test

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"simkube.io/simkube/trace"
)

const sigterm = syscall.SIGTERM

// sorted ignores the order of lists.
var sorted = cmpopts.SortSlices(cmp.Less[string])

// testTracerRestart checks that nothing recorded is lost however a tracer ends, and that the next
// one records what happened meanwhile and that there was a gap.
func testTracerRestart(t *testing.T, c *tracedCluster) {
	s := newSandbox(t)
	config := filepath.Join(s.dir, "config.yaml")
	writeFile(t, config, "trackedObjects: {v1.ConfigMap: {}}\n")
	var stopped []time.Time
	stop := func(tracer *tracerProgram, sig syscall.Signal) int {
		t.Helper()
		code := tracer.stop(sig)
		stopped = append(stopped, time.Now())
		return code
	}
	start := func() *tracerProgram {
		t.Helper()
		tracer := s.startTracer(nil, config, "--kubeconfig", c.kubeconfig, "--data-dir", "data")
		tracer.ready()
		return tracer
	}
	tracer := start()
	c.namespace(t, "restart")
	for _, name := range []string{"changed", "gone", "stays"} {
		c.configMap(t, "restart", name, "1")
	}
	s.awaitExported(tracer, "+ ConfigMap stays 1")
	if code := stop(tracer, syscall.SIGTERM); code != done {
		t.Errorf("after SIGTERM, the exit code is %d, want %d", code, done)
	}
	nextSecond()
	c.configMap(t, "restart", "changed", "2")
	c.removeConfigMap(t, "restart", "gone")

	tracer = start()
	s.awaitExported(tracer, "- ConfigMap gone")
	c.configMap(t, "restart", "late", "1")
	s.awaitExported(tracer, "+ ConfigMap late 1")
	if code := stop(tracer, syscall.SIGKILL); code != -1 {
		t.Errorf("after SIGKILL, the exit code is %d", code)
	}
	nextSecond()
	c.configMap(t, "restart", "changed", "3")

	tracer = start()
	tr := s.awaitExported(tracer, "+ ConfigMap changed 3")
	want := []string{"+ ConfigMap changed 1", "+ ConfigMap gone 1", "+ ConfigMap stays 1", "+ ConfigMap changed 2", "- ConfigMap gone", "+ ConfigMap late 1", "+ ConfigMap changed 3"}
	got := history(t, tr, "ConfigMap")
	if diff := gocmp.Diff(want, got, sorted); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.IsSorted([]int{slices.Index(got, want[0]), slices.Index(got, want[3]), slices.Index(got, want[6])}) {
		t.Errorf("the order is %q", got)
	}
	extension, err := trace.ParseExtension(tr.Extension)
	must(t, err)
	for _, at := range stopped {
		in := func(gap trace.Gap) bool { return gap.From <= at.UnixMilli() && gap.To > at.UnixMilli() }
		if !slices.ContainsFunc(extension.Gaps, in) {
			t.Errorf("gaps are %v, want one that has %d, when the tracer was stopped", extension.Gaps, at.UnixMilli())
		}
	}
	for _, gap := range extension.Gaps {
		if gap.From >= gap.To || gap.To/1000 < tr.Events[0].Time {
			t.Errorf("a gap is from %d to %d, in a trace from %d", gap.From, gap.To, tr.Events[0].Time)
		}
	}
}

// awaitExported exports until the history has a line.
func (s *sandbox) awaitExported(p *tracerProgram, line string) *trace.Trace {
	s.t.Helper()
	for range 30 { // seconds or more
		tr := s.export(p, "restart")
		if slices.Contains(history(s.t, tr, "ConfigMap"), line) {
			return tr
		}
	}
	s.t.Fatalf("%q is in no export", line)
	return nil
}

// testTracerInUse checks that a second tracer does not touch the log of the first.
func testTracerInUse(t *testing.T, c *tracedCluster) {
	s := newSandbox(t)
	config := filepath.Join(s.dir, "config.yaml")
	writeFile(t, config, "trackedObjects: {v1.ConfigMap: {}}\n")
	args := []string{"--config-file", config, "--server-port", "0", "--kubeconfig", c.kubeconfig, "--data-dir", "data"}
	first := s.startTracer(nil, config, args[4:]...)
	second := s.startProgram("sk-tracer", args...).wait()
	second.check(t, failed)
	wants(t, "standard error", second.stderr, "sk-tracer: open event log", "in use", "another directory")

	_, port, _ := strings.Cut(strings.TrimPrefix(first.url, "http://"), ":")
	third := s.startProgram("sk-tracer", "--config-file", config, "--server-port", port, "--kubeconfig", c.kubeconfig, "--in-memory").wait()
	third.check(t, failed)
	wants(t, "standard error", third.stderr, "address already in use", "hint: ", "--server-port")
	first.ready()
}
