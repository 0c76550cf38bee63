package app

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"simkube.io/simkube/internal/program"
)

// TestOptions_RedactionOfManifests checks that the redaction of the manifests equals the default of
// the program.
func TestOptions_RedactionOfManifests(t *testing.T) {
	data, err := os.ReadFile("../../../config/tracer/base/settings.env")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, _ := strings.Cut(string(data), "\nTRACER_REDACT=")
	rules, _, _ = strings.Cut(rules, "\n")
	parse := func(args ...string) *settings {
		t.Helper()
		var opts options
		flags := pflag.NewFlagSet("sk-tracer", pflag.ContinueOnError)
		opts.addFlags(flags)
		if err := flags.Parse(append([]string{"-c", "config.yaml"}, args...)); err != nil {
			t.Fatal(err)
		}
		s, err := opts.parse()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	alone, manifests := parse().redaction, parse("--redact", rules).redaction
	if diff := cmp.Diff(manifests, alone); diff != "" || !alone.Env || !alone.Secrets {
		t.Errorf("(-manifests +alone):\n%s", diff)
	}
	if none := parse("--redact", "none").redaction; none.Env || none.Secrets {
		t.Errorf("none redacts %v", none)
	}
}

// output collects what a program prints.
type output struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// TestRun_SaysWhatIsRedacted checks that the log says at the start what is recorded in plain text.
func TestRun_SaysWhatIsRedacted(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"default": {nil, `level=INFO msg=redacting redacted="values of Secrets, values of environment variables" ` +
			`inClear="values of ConfigMaps, annotations, commands and arguments of containers, labels, fields of custom resources, all other fields"`},
		"more": {[]string{"--redact", "configmaps,annotations=a/b"}, `level=INFO msg=redacting redacted="values of ConfigMaps, the annotations a/b" ` +
			`inClear="values of Secrets, values of environment variables, other annotations, commands`},
		"none": {[]string{"--redact", "none"}, `level=WARN msg="nothing is redacted" inClear="values of Secrets, values of environment variables, `},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			ctx, cancel := context.WithCancel(t.Context())
			var printed output
			config := write(t, "config.yaml", "trackedObjects: {apps/v1.Deployment: {}}\n")
			args := append([]string{"-c", config, "--kubeconfig", kubeconfig(t), "--in-memory", "--server-port", "0"}, test.args...)
			done := make(chan int, 1)
			go func() { done <- Run(ctx, program.Streams{Out: &printed, Err: &printed}, "v1", args) }()
			for !strings.Contains(printed.String(), "msg=recording ") && len(done) == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
			if code := <-done; code != program.ExitDone {
				t.Errorf("exit code: got %d, want %d", code, program.ExitDone)
			}
			if got := printed.String(); !strings.Contains(got, test.want) {
				t.Errorf("got\n%s\nwant %s", got, test.want)
			}
		})
	}
}
