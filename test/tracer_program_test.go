package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/trace"
)

// tracerProgram is a running sk-tracer.
type tracerProgram struct {
	*command
	url    string
	client *http.Client
	ended  chan struct{}
}

var apiAddress = regexp.MustCompile(`msg=recording .*api=\S*:(\d+)`)

// startTracer starts sk-tracer with a configuration on a free port, and waits until it serves. env
// adds variables to the sandbox's.
func (s *sandbox) startTracer(env map[string]string, config string, args ...string) *tracerProgram {
	s.t.Helper()
	added := *s
	added.env = append([]string(nil), s.env...)
	for name, value := range env {
		added.env = append(added.env, name+"="+value)
	}
	p := &tracerProgram{client: http.DefaultClient, ended: make(chan struct{})}
	p.command = added.startProgram("sk-tracer", append([]string{"--config-file", config, "--server-port", "0"}, args...)...)
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
		p.stderr.close()
	}()
	s.t.Cleanup(func() {
		<-p.ended // killed when the test's context was cancelled
		if s.t.Failed() {
			s.t.Logf("sk-tracer printed:\n%s", p.stderr.text())
		}
	})
	p.waitFor("msg=recording")
	p.url = "http://127.0.0.1:" + apiAddress.FindStringSubmatch(p.stderr.text())[1]
	return p
}

// stop sends a signal to the tracer, and returns its exit code.
func (p *tracerProgram) stop(sig syscall.Signal) int {
	p.t.Helper()
	p.signal(sig)
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}

// get sends a request to the API.
func (p *tracerProgram) get(ctx context.Context, path string) (code int, body string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return 0, err.Error()
	}
	return p.do(req)
}

func (p *tracerProgram) do(req *http.Request) (code int, body string) {
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(data)
}

// ready waits until everything has been listed once.
func (p *tracerProgram) ready() {
	p.t.Helper()
	eventually(p.t, "the tracer is ready", func(ctx context.Context) string {
		code, body := p.get(ctx, "/readyz")
		if code == http.StatusOK {
			return ""
		}
		return body
	})
}

// shows waits until a page has all the parts, and returns it.
func (p *tracerProgram) shows(path string, parts ...string) (body string) {
	p.t.Helper()
	eventually(p.t, path+" has "+strings.Join(parts, ", "), func(ctx context.Context) string {
		_, body = p.get(ctx, path)
		if containsAll(body, parts) {
			return ""
		}
		return body
	})
	return body
}

// recorded waits until a number of changes of a kind has been recorded.
func (p *tracerProgram) recorded(kind, op string, n int) {
	p.t.Helper()
	p.shows("/metrics", fmt.Sprintf("simkube_tracer_events_total{kind=%q,op=%q} %d\n", kind, op, n))
}

func (p *tracerProgram) status() simkubev1.TracerStatus {
	p.t.Helper()
	var status simkubev1.TracerStatus
	code, body := p.get(p.t.Context(), simkubev1.PathTracerStatus)
	if err := json.Unmarshal([]byte(body), &status); code != http.StatusOK || err != nil {
		p.t.Fatalf("%v: %d %s", err, code, body)
	}
	return status
}

// export returns the trace of one namespace with everything recorded until now.
func (s *sandbox) export(p *tracerProgram, namespace string) *trace.Trace {
	s.t.Helper()
	nextSecond() // the end of a trace is exclusive
	path := filepath.Join(s.dir, "out.sktrace")
	r := s.skctl("export", "-s", "-5m", "-o", path, "--tracer-address", p.url, "--excluded-namespaces", "kube-system", "--included-namespaces", namespace)
	r.check(s.t, done)
	wants(s.t, "standard error", r.stderr, "exported ", " to "+path)
	tr, err := trace.ReadFile(path)
	must(s.t, err)
	return tr
}

// history returns what a trace holds of the objects of some kinds, in order.
func history(t *testing.T, tr *trace.Trace, kinds ...string) []string {
	t.Helper()
	var out []string
	wanted := func(obj *trace.Object) bool {
		for _, kind := range kinds {
			if obj.GVK().Kind == kind && obj.Name() != "kube-root-ca.crt" {
				return true
			}
		}
		return false
	}
	for _, event := range tr.Events {
		for _, obj := range event.Applied {
			if !wanted(&obj) {
				continue
			}
			u, err := obj.Unstructured()
			must(t, err)
			line := "+ " + obj.GVK().Kind + " " + obj.Name()
			if value, ok, _ := unstructured.NestedString(u.Object, "data", "value"); ok {
				line += " " + value
			}
			out = append(out, line)
		}
		for _, obj := range event.Deleted {
			if wanted(&obj) {
				out = append(out, "- "+obj.GVK().Kind+" "+obj.Name())
			}
		}
	}
	return out
}

func lacks(t *testing.T, what, text, part string) {
	t.Helper()
	if strings.Contains(text, part) {
		t.Errorf("%s has %q:\n%s", what, part, text)
	}
}

// filesWith returns the names of the files below a folder that contain a text.
func filesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			out = append(out, path)
		}
		return err
	}))
	return out
}
