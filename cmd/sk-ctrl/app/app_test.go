package app

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/program"
)

func skctrl(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), program.Streams{Out: &stdout, Err: &stderr}, "v1", args)
	return code, stdout.String(), stderr.String()
}

func TestRun_Usage(t *testing.T) {
	good := map[string]string{envNamespace: "simkube", envAccount: "sk-ctrl"}
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		code int
		want []string
	}{
		"nothing":      {nil, nil, program.ExitUsage, []string{"$CTRL_NAMESPACE is not set", "$POD_SVC_ACCOUNT is not set", "hint: see sk-ctrl --help"}},
		"unknown flag": {good, []string{"--max-simulations", "2"}, program.ExitUsage, []string{"unknown flag: --max-simulations"}},
		"argument":     {good, []string{"more"}, program.ExitUsage, []string{`unexpected "more"`}},
		"all at once": {
			map[string]string{envNamespace: "Sim Kube", envDriverAccount: "x/y"},
			[]string{"-v", "loud", "--metrics-bind-address", "8080", "--health-probe-bind-address", "no"},
			program.ExitUsage,
			[]string{
				`--verbosity "loud"`, `--metrics-bind-address "8080"`, `--health-probe-bind-address "no"`, `$CTRL_NAMESPACE "Sim Kube"`,
				`"x/y", of $DRIVER_SVC_ACCOUNT`,
			},
		},
		"no cluster":         {good, nil, program.ExitFailed, []string{"there is no kubeconfig", "--kubeconfig"}},
		"missing kubeconfig": {good, []string{"--kubeconfig", "nowhere"}, program.ExitFailed, []string{"find the cluster", "nowhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
			t.Setenv("HOME", t.TempDir())
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			for _, variable := range []string{envNamespace, envAccount, envDriverAccount} {
				t.Setenv(variable, test.env[variable])
			}
			code, out, err := skctrl(t, test.args...)
			if code != test.code || out != "" {
				t.Errorf("got code %d and standard output %q, want %d and none", code, out, test.code)
			}
			for _, part := range test.want {
				if !strings.Contains(err, part) {
					t.Errorf("standard error lacks %q:\n%s", part, err)
				}
			}
		})
	}
}

func TestOptions_DriverAccount(t *testing.T) {
	t.Setenv(envNamespace, "simkube")
	t.Setenv(envAccount, "sk-ctrl")
	opts := options{verbosity: "info", metricsAddress: off, healthAddress: off}
	for _, want := range []string{"sk-ctrl", "sk-driver"} {
		s, err := opts.parse()
		if err != nil || s.driverAccount != want {
			t.Errorf("got %+v, %v, want %s", s, err, want)
		}
		t.Setenv(envDriverAccount, "sk-driver")
	}
}

func TestRun_Help(t *testing.T) {
	code, out, err := skctrl(t, "--help")
	if code != program.ExitDone || err != "" || !strings.Contains(out, "--leader-elect") || !strings.Contains(out, "max-simulations") {
		t.Errorf("got code %d, %q and %q", code, out, err)
	}
	if code, out, _ := skctrl(t, "--version"); code != program.ExitDone || out != "sk-ctrl v1\n" {
		t.Errorf("the version is %q, code %d", out, code)
	}
}
