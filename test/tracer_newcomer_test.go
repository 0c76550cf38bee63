package test

import (
	"encoding/base64"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

// testTracerNewcomer does what a new user does first: record, export, simulate.
func testTracerNewcomer(t *testing.T, c *tracedCluster) {
	s := newSandbox(t)
	config := filepath.Join(s.dir, "config.yaml")
	writeFile(t, config, `trackedObjects:
  apps/v1.Deployment: {}
  batch/v1.Job: {trackLifecycle: true}
  v1.ConfigMap: {}
`)
	tracer := s.startTracer(nil, config, "--kubeconfig", c.kubeconfig)
	tracer.ready()
	c.namespace(t, "newcomer")
	c.configMap(t, "newcomer", "settings", "1")
	c.runWorkload(t, "newcomer")
	nextSecond()
	c.configMap(t, "newcomer", "settings", "2")
	nextSecond()
	c.removeConfigMap(t, "newcomer", "settings")
	tracer.shows("/metrics", `simkube_tracer_events_total{kind="v1.ConfigMap",op="deleted"}`, `simkube_tracer_events_total{kind="batch/v1.Job",op="applied"}`)

	tr := s.export(tracer, "newcomer")
	want := []string{"+ ConfigMap settings 1", "+ ConfigMap settings 2", "- ConfigMap settings"}
	if diff := cmp.Diff(want, history(t, tr, "ConfigMap")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkLifecycles(t, tr, "newcomer/report")
	s.simulated()
}

// checkLifecycles checks that one pod of the Job ran for a second or more, and that no other pods
// have lifecycles.
func checkLifecycles(t *testing.T, tr *trace.Trace, job string) {
	t.Helper()
	of := tr.Lifecycles[trace.PodOwner{GVK: jobKind, Name: job}]
	if len(tr.Lifecycles) != 1 || len(of) != 1 {
		t.Fatalf("lifecycles are %v, want one pod's of the Job", tr.Lifecycles)
	}
	for _, pods := range of {
		if len(pods) != 1 || pods[0].State != trace.Finished || pods[0].End-pods[0].Start < 1 {
			t.Errorf("lifecycles are %+v, want one pod that ran for a second or more", pods)
		}
	}
}

// simulated replays the last export. The Job's pod ends because of its lifecycle, which was found
// by the pod's hash.
func (s *sandbox) simulated() {
	s.t.Helper()
	r := s.skctl("simulate", "out.sktrace", "-o", "result")
	r.check(s.t, done)
	wants(s.t, "standard output", r.stdout, "3 created", "1 succeeded")
}

// testTracerRedaction checks that redacted values appear nowhere, and that lifecycles are found
// nonetheless.
func testTracerRedaction(t *testing.T, c *tracedCluster) {
	const secret = "the-secret-of-the-test"
	s := newSandbox(t)
	config, data := filepath.Join(s.dir, "config.yaml"), filepath.Join(s.dir, "data")
	writeFile(t, config, `trackedObjects:
  apps/v1.Deployment: {}
  apps/v1.ReplicaSet: {}
  batch/v1.Job: {trackLifecycle: true}
  v1.Pod: {skipOwned: true}
  v1.ConfigMap: {}
  v1.Secret: {}
`)
	tracer := s.startTracer(nil, config, "--kubeconfig", c.kubeconfig, "--data-dir", data, "--redact", "secrets,env", "--verbosity", "debug")
	tracer.ready()
	c.namespace(t, "redaction")
	c.configMap(t, "redaction", "marker", "found-in-clear")
	c.apply(t, "redaction", "{apiVersion: v1, kind: Secret, metadata: {name: keys}, stringData: {password: "+secret+"}}")
	c.runWorkload(t, "redaction")
	tracer.shows("/metrics", `simkube_tracer_events_total{kind="v1.Secret",op="applied"}`)
	tr := s.export(tracer, "redaction")
	// A Deployment changes again after its controller has seen it, in the same second or the next.
	got := slices.Compact(slices.Sorted(slices.Values(history(t, tr, "Secret", "Job", "Deployment"))))
	if diff := cmp.Diff([]string{"+ Deployment web", "+ Job report", "+ Secret keys"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkLifecycles(t, tr, "redaction/report")

	out := filepath.Join(s.dir, "out.sktrace")
	if len(filesWith(t, data, "found-in-clear")) == 0 || len(filesWith(t, s.dir, "redacted-")) < 2 || len(filesWith(t, out, "found-in-clear")) == 0 {
		t.Error("what is not redacted, and the tokens, are not found: this test looks in the wrong place")
	}
	stop := func() {
		if code := tracer.stop(sigterm); code != done {
			t.Errorf("exit code: got %d, want %d", code, done)
		}
	}
	for _, when := range []struct {
		name   string
		before func()
	}{{"while it runs", func() {}}, {"after it ended", stop}} {
		when.before()
		for _, text := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), "of-the-web", "of-the-report"} {
			if files := filesWith(t, s.dir, text); len(files) > 0 {
				t.Errorf("%s, %q is in %v", when.name, text, files)
			}
		}
	}
	for _, text := range []string{secret, "of-the-web", "of-the-report", base64.StdEncoding.EncodeToString([]byte(secret))} {
		lacks(t, "the tracer's log", tracer.stderr.text(), text)
	}
	s.simulated()
}
