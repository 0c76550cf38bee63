package app

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

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
				`--verbosity "loud"`, `--metrics-bind-address "8080"`, `--health-probe-bind-address "no"`, `invalid $CTRL_NAMESPACE "Sim Kube"`,
				`"x/y" in $DRIVER_SVC_ACCOUNT`,
			},
		},
		"no images": {good, []string{"--allowed-driver-images="}, program.ExitUsage, []string{"invalid --allowed-driver-images: must not be empty"}},
		"wrong lists": {
			good,
			[]string{"--allowed-driver-images", "a/b,Some Thing", "--allowed-trace-paths", "data"},
			program.ExitUsage,
			[]string{`--allowed-driver-images: "Some Thing": must be a repository`, `--allowed-trace-paths: "data": must be an absolute path`},
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
	opts := options{verbosity: "info", metricsAddress: off, healthAddress: off, driverImages: []string{defaultDriverImages}}
	for _, want := range []string{"sk-ctrl", "sk-driver"} {
		s, err := opts.parse()
		if err != nil || s.driverAccount != want {
			t.Errorf("got %+v, %v, want %s", s, err, want)
		}
		t.Setenv(envDriverAccount, "sk-driver")
	}
}

// The flags have defaults, and values add up if a flag is repeated.
func TestOptions_Lists(t *testing.T) {
	t.Setenv(envNamespace, "simkube")
	t.Setenv(envAccount, "sk-ctrl")
	for name, test := range map[string]struct {
		args        []string
		image, path map[string]bool
	}{
		"default": {nil, map[string]bool{"simkube/sk-driver:v1": true, "example.com/sk-driver": false}, map[string]bool{"/data/trace": true, "/etc/shadow": false}},
		"more": {
			[]string{"--allowed-driver-images=a/b", "--allowed-driver-images=c/d", "--allowed-trace-paths=/srv,/tmp"},
			map[string]bool{"a/b": true, "c/d:1": true, "simkube/sk-driver": false},
			map[string]bool{"/srv/t": true, "/tmp/t": true, "/data/t": false},
		},
		"all and none": {[]string{"--allowed-driver-images=*", "--allowed-trace-paths="}, map[string]bool{"a": true}, map[string]bool{"/data/trace": false}},
	} {
		t.Run(name, func(t *testing.T) {
			var opts options
			flags := pflag.NewFlagSet("sk-ctrl", pflag.ContinueOnError)
			opts.addFlags(flags)
			if err := flags.Parse(test.args); err != nil {
				t.Fatal(err)
			}
			s, err := opts.parse()
			if err != nil {
				t.Fatal(err)
			}
			for image, want := range test.image {
				if got := s.images.Allows(image); got != want {
					t.Errorf("image %s: got %v, want %v", image, got, want)
				}
			}
			for file, want := range test.path {
				if got := s.tracePaths.Allows(file); got != want {
					t.Errorf("file %s: got %v, want %v", file, got, want)
				}
			}
		})
	}
}

func TestRun_Help(t *testing.T) {
	code, out, err := skctrl(t, "--help")
	if code != program.ExitDone || err != "" || !strings.Contains(out, "--leader-elect") || !strings.Contains(out, "max-simulations") {
		t.Errorf("got code %d, %q and %q", code, out, err)
	}
	if code, out, _ := skctrl(t, "--version"); code != program.ExitDone || out != "sk-ctrl v1\n" {
		t.Errorf("got version %q, code %d", out, code)
	}
}
