package test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/trace"
)

// testTracerTransform makes a tracer transform its exports.
func testTracerTransform(t *testing.T, c *tracedCluster) {
	s := newSandbox(t)
	config := filepath.Join(s.dir, "config.yaml")
	writeFile(t, config, "trackedObjects: {v1.ConfigMap: {}}\n")
	tracer := s.startTracer(nil, config, "--kubeconfig", c.kubeconfig, "--in-memory")
	tracer.ready()
	c.namespace(t, "transform")
	c.configMap(t, "transform", "kept", "1")
	c.configMap(t, "transform", "dropped", "1")
	nextSecond()
	c.configMap(t, "transform", "kept", "2")
	c.removeConfigMap(t, "transform", "dropped")
	nextSecond()
	export := func(program string) result {
		writeFile(t, filepath.Join(s.dir, "program.skel"), program)
		return s.skctl("export", "--tracer-address", tracer.url, "--included-namespaces", "transform", "--transform", "program.skel", "-o", "out.sktrace")
	}

	r := export(`delete(metadata.name == "dropped" || metadata.name == "kube-root-ca.crt"); modify(metadata.name == "kept", metadata.name = "renamed");`)
	r.check(t, done)
	tr, err := trace.ReadFile(filepath.Join(s.dir, "out.sktrace"))
	must(t, err)
	if got, want := history(t, tr, "ConfigMap"), []string{"+ ConfigMap renamed 1", "+ ConfigMap renamed 2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := tr.Index[configMapKind]; len(got) != 1 {
		t.Errorf("the index has %v", got)
	}

	// Errors in a program have a position, and nothing is written.
	r = export("remove(status);\nrmove(data);")
	r.check(t, failed)
	wants(t, "standard error", r.stderr, "transform, line 2, column 1", "rmove")
	r = export(`modify(data.value.x = 1);`)
	r.check(t, failed)
	wants(t, "standard error", r.stderr, "transform, line 1, column 1", "v1.ConfigMap transform/", "data.value is")
	onlyHas(t, s.dir, "config.yaml", "program.skel", "out.sktrace")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tracer.url+"/export",
		strings.NewReader(`{"start_ts": 1, "end_ts": 4000000000, "export_path": "x", "transform": "delete(kind == );"}`))
	must(t, err)
	if code, body := tracer.do(req); code != http.StatusBadRequest || !strings.Contains(body, `"column":16`) {
		t.Errorf("got %d, want 400 with the column: %s", code, body)
	}
}
