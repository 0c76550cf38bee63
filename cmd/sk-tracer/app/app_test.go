package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/program"
)

// sktracer runs a command line that ends by itself.
func sktracer(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), program.Streams{Out: &stdout, Err: &stderr}, "v1", args)
	return code, stdout.String(), stderr.String()
}

func TestRun_Usage(t *testing.T) {
	isolate(t)
	config := write(t, "config.yaml", "trackedObjects: {apps/v1.Deployment: {}}\n")
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"nothing", nil, program.ExitUsage, []string{"--config-file is missing", "hint: see sk-tracer --help"}},
		{"unknown flag", []string{"-c", config, "--nope"}, program.ExitUsage, []string{"unknown flag: --nope", "sk-tracer --help"}},
		{"argument", []string{"-c", config, "more"}, program.ExitUsage, []string{`unexpected "more"`}},
		{"no number", []string{"-c", config, "--server-port", "http"}, program.ExitUsage, []string{"--server-port", `"http"`}},
		{"empty redaction", []string{"-c", config, "--redact", ""}, program.ExitUsage, []string{`--redact ""`, "none"}},
		{"none and something", []string{"-c", config, "--redact", "none,env"}, program.ExitUsage, []string{"none cannot be combined"}},
		{"open to everybody", []string{"-c", config, "--bind-address", "0.0.0.0"}, program.ExitUsage, []string{"--auth token", "127.0.0.1", "--insecure"}},
		{"open on all", []string{"-c", config, "--bind-address", ""}, program.ExitUsage, []string{"open to everyone"}},
		{"open over IPv6", []string{"-c", config, "--bind-address", "::"}, program.ExitUsage, []string{"open to everyone"}},
		{"key without certificate", []string{"-c", config, "--tls-key-file", "key.pem"}, program.ExitUsage, []string{"--tls-cert-file and --tls-key-file must be set together"}},
		{
			"all at once",
			[]string{
				"--retention", "soon", "--max-size", "3potatoes", "--redact", "secrets,passwords", "--allow-destination", "ftp://x", "--auth", "maybe",
				"--server-port", "70000", "--max-exports", "0", "--owner-cache-size", "0", "--tls-cert-file", "cert.pem", "-v", "loud",
			},
			program.ExitUsage,
			[]string{
				"--config-file is missing", `--retention: not a duration: "soon"`, `--max-size "3potatoes"`, "10Gi", `--redact: invalid rule "passwords"`, "or none",
				`--allow-destination: invalid destination "ftp://x"`, "s3://bucket/prefix", `--auth "maybe"`, "token or none", "--server-port 70000", "--max-exports 0",
				"--owner-cache-size 0", "--tls-cert-file and --tls-key-file", `--verbosity "loud"`, "debug",
			},
		},
		{"negative retention", []string{"-c", config, "--retention", "-1h"}, program.ExitUsage, []string{"--retention", `"-1h"`}},
		{"size without a unit", []string{"-c", config, "--max-size", "10"}, program.ExitUsage, []string{"--max-size 10: 10 bytes is too small", "10Gi"}},
		{"negative size", []string{"-c", config, "--max-size", "-1Gi"}, program.ExitUsage, []string{`--max-size "-1Gi"`}},
		{"missing config", []string{"-c", "missing.yaml"}, program.ExitFailed, []string{"missing.yaml: no such file"}},
		{"empty config", []string{"-c", write(t, "empty.yaml", "")}, program.ExitFailed, []string{"empty.yaml", "trackedObjects"}},
		{
			"wrong config",
			[]string{"-c", write(t, "wrong.yaml", "trackedObjects: {apps/v1.Deployment: {trackLifecycles: true}, Foo: {}}\n")},
			program.ExitFailed,
			[]string{"wrong.yaml", "apps/v1.Deployment", "trackLifecycles", "trackLifecycle", "Foo", "group/version.Kind"},
		},
		{"no cluster", []string{"-c", config}, program.ExitFailed, []string{"find the cluster", "there is no kubeconfig", "hint: set one with --kubeconfig"}},
		{"missing kubeconfig", []string{"-c", config, "--kubeconfig", "nowhere"}, program.ExitFailed, []string{"find the cluster", "nowhere"}},
		{"unknown context", []string{"-c", config, "--kubeconfig", kubeconfig(t), "--context", "nope"}, program.ExitFailed, []string{"find the cluster", "nope"}},
		{"data in a file", []string{"-c", config, "--kubeconfig", kubeconfig(t), "--data-dir", config}, program.ExitFailed, []string{"make the data directory", config}},
		{"missing key", []string{"-c", config, "--kubeconfig", kubeconfig(t), "--redact-key-file", "nowhere"}, program.ExitFailed, []string{"read the redaction key", "nowhere"}},
		{
			"missing certificate",
			[]string{"-c", config, "--kubeconfig", kubeconfig(t), "--server-port", "0", "--in-memory", "--tls-cert-file", "nowhere.pem", "--tls-key-file", "key.pem"},
			program.ExitFailed,
			[]string{"read the TLS certificate", "nowhere.pem"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, err := sktracer(t, test.args...)
			if code != test.code {
				t.Errorf("exit code: got %d, want %d", code, test.code)
			}
			if out != "" {
				t.Errorf("standard output has %q", out)
			}
			for _, part := range test.want {
				if !strings.Contains(err, part) {
					t.Errorf("standard error lacks %q:\n%s", part, err)
				}
			}
			if strings.Contains(err, "msg=recording") {
				t.Errorf("it began to record:\n%s", err)
			}
		})
	}
}

func TestRun_PortInUse(t *testing.T) {
	isolate(t)
	taken := listen(t)
	code, _, err := sktracer(t, "-c", write(t, "config.yaml", "trackedObjects: {apps/v1.Deployment: {}}\n"), "--kubeconfig", kubeconfig(t),
		"--in-memory", "--server-port", taken)
	if code != program.ExitFailed || !strings.Contains(err, "in use") || !strings.Contains(err, "hint: another tracer may be running") {
		t.Errorf("got code %d and %s", code, err)
	}
}

func TestRun_Help(t *testing.T) {
	code, out, err := sktracer(t, "--help")
	if code != program.ExitDone || err != "" || !strings.Contains(out, "--allow-destination") {
		t.Errorf("got code %d, %q and %q", code, out, err)
	}
	if code, out, _ := sktracer(t, "--version"); code != program.ExitDone || out != "sk-tracer v1\n" {
		t.Errorf("the version is %q, code %d", out, code)
	}
}

// isolate keeps a test from using the user's cluster and working directory.
func isolate(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// kubeconfig returns the path of a kubeconfig for a cluster without an API server.
func kubeconfig(t *testing.T) string {
	t.Helper()
	return write(t, "kubeconfig", `{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c}}],
  clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]}`)
}
