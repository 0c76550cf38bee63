package app

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRun_TracerRBAC_Installed checks that what is installed is what the command makes.
func TestRun_TracerRBAC_Installed(t *testing.T) {
	base := filepath.Join(repository, "config", "tracer", "base")
	want, err := os.ReadFile(filepath.Join(base, "clusterrole.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := run(t, "tracer-rbac", filepath.Join(base, "config.yaml"))
	if diff := cmp.Diff(string(want), stdout); code != exitDone || stderr != "" || diff != "" {
		t.Errorf("exit code %d, standard error %q, standard output (-want +got):\n%s", code, stderr, diff)
	}
}

const oddConfig = `trackedObjects: {example.com/v1.Ox: {}, example.com/v1.Cow: {}}`

func TestRun_TracerRBAC_Discover(t *testing.T) {
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/apis/example.com/v1" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"example.com/v1","resources":[
			{"name":"oxen","kind":"Ox","verbs":["get","list","watch"]}]}`)
	}))
	defer cluster.Close()
	config := filepath.Join(t.TempDir(), "tracer.yaml")
	if err := os.WriteFile(config, []byte(oddConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", "/no/such")
	code, stdout, stderr := run(t, "tracer-rbac", config, "--discover", "--server", cluster.URL, "--no-nodes", "--auth", "none", "--name", "reader")
	want := `# Made by skctl tracer-rbac from tracer.yaml.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: reader
rules:
  # cows is a guess at the resource of example.com/v1.Cow: see kubectl api-resources, or use --discover
  - apiGroups: [example.com]
    resources: [cows, oxen]
    verbs: [get, list, watch]
`
	if diff := cmp.Diff(want, stdout); code != exitDone || diff != "" {
		t.Errorf("exit code %d, standard output (-want +got):\n%s", code, diff)
	}
	if want := "warning: no such kind in the cluster: example.com/v1.Cow; its resource is a guess\n"; stderr != want {
		t.Errorf("standard error is %q, want %q", stderr, want)
	}
}

func TestRun_TracerRBAC_Stdin(t *testing.T) {
	var out, errs bytes.Buffer
	code := Run(t.Context(), Streams{In: strings.NewReader("trackedObjects: {v1.ConfigMap: {}}"), Out: &out, Err: &errs}, "v1", []string{"skctl", "tracer-rbac", "-"})
	if code != exitDone || !strings.HasPrefix(out.String(), "# Made by skctl tracer-rbac.\n") || !strings.Contains(out.String(), "resources: [configmaps, nodes]") {
		t.Errorf("exit code %d, standard error %q, standard output\n%s", code, errs.String(), out.String())
	}
}

func TestRun_TracerRBAC_Wrong(t *testing.T) {
	config := filepath.Join(t.TempDir(), "tracer.yaml")
	if err := os.WriteFile(config, []byte("trackedObject: {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", "/no/such")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no file":       {[]string{"/no/such"}, exitFailed, "skctl: read the tracer configuration /no/such: no such file or directory\n"},
		"no arguments":  {nil, exitUsage, "skctl: tracer-rbac: CONFIG is missing\n"},
		"a typo":        {[]string{config}, exitFailed, "skctl: read the tracer configuration " + config + ": "},
		"auth":          {[]string{config, "--auth", "basic"}, exitUsage, "skctl: --auth \"basic\": accepted are token and none\n"},
		"a name":        {[]string{config, "--name", "a/b"}, exitUsage, "skctl: --name \"a/b\": a ClusterRole cannot be called that\n"},
		"no kubeconfig": {[]string{"../../../config/tracer/base/config.yaml", "--discover"}, exitFailed, "skctl: ask the cluster for its resources: there is no kubeconfig\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, append([]string{"tracer-rbac"}, tc.args...)...)
			if code != tc.code || stdout != "" || !strings.HasPrefix(stderr, tc.want) {
				t.Errorf("exit code %d, standard output %q, standard error\n%s\nwant %d and %q", code, stdout, stderr, tc.code, tc.want)
			}
		})
	}
}
