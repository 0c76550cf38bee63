package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/program"
)

func TestRun_Usage(t *testing.T) {
	all := []string{"--sim-name", "s", "--controller-ns", "n", "--cert-path", "c", "--key-path", "k", "--trace-path", "t"}
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"nothing": {nil, []string{
			"--sim-name is missing", "--controller-ns is missing", "--cert-path is missing", "--key-path is missing", "--trace-path is missing",
			"$DRIVER_NAME is not set", "$POD_NAMESPACE is not set", "sk-driver --help",
		}},
		"ports":     {append(all, "--metrics-port", "70000", "--admission-webhook-port", "-1"), []string{"--metrics-port 70000", "--admission-webhook-port -1"}},
		"verbosity": {append(all, "-v", "loud"), []string{`--verbosity "loud": must be error, warn, info or debug`}},
		"argument":  {[]string{"trace"}, []string{`unexpected "trace"`}},
		"flag":      {[]string{"--speed", "2"}, []string{"unknown flag: --speed"}},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "nothing" {
				t.Setenv(nameVariable, "pod")
				t.Setenv(namespaceVariable, "simkube")
			}
			var out, errs bytes.Buffer
			if code := Run(t.Context(), program.Streams{Out: &out, Err: &errs}, "v1", tc.args); code != program.ExitUsage {
				t.Errorf("got exit code %d, want %d", code, program.ExitUsage)
			}
			for _, want := range tc.want {
				if !strings.Contains(errs.String(), want) {
					t.Errorf("the error lacks %q:\n%s", want, errs.String())
				}
			}
		})
	}
}

func TestRun_Version(t *testing.T) {
	var out, errs bytes.Buffer
	if code := Run(t.Context(), program.Streams{Out: &out, Err: &errs}, "v1", []string{"--version"}); code != 0 || out.String() != "sk-driver v1\n" {
		t.Errorf("got exit code %d and output %q", code, out.String())
	}
}

func TestWorkDir(t *testing.T) {
	parent := t.TempDir()
	first, err := workDir(parent, "driver-abcde")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(first, "trace"), []byte("from a driver that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := workDir(parent, "driver-fghij")
	if err != nil {
		t.Fatal(err)
	}
	again, err := workDir(parent, "driver-abcde")
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(again)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 || first != again || other == again {
		t.Errorf("got %s, %s and then %s, in which there is %v", first, other, again, left)
	}
}
