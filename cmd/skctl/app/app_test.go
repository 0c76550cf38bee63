package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"simkube.io/simkube/internal/mutate"
	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/skcluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a command line without the user's environment.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var out, errs bytes.Buffer
	code = Run(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, "v1.2.3", append([]string{"skctl"}, args...))
	return code, out.String(), errs.String()
}

func TestRun_WrongUsage(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "a.sktrace")
	if err := os.WriteFile(trace, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"unknown command": {
			[]string{"frobnicate"},
			"skctl: unknown command \"frobnicate\" for \"skctl\"\n  hint: see skctl --help\n",
		},
		"unknown flag": {
			[]string{"version", "--loud"},
			"skctl: unknown flag: --loud\n  hint: see skctl version --help\n",
		},
		"unknown verbosity": {
			[]string{"version", "-v", "loud"},
			"skctl: invalid verbosity \"loud\": must be error, warn, info or debug\n",
		},
		"no trace": {
			[]string{"simulate"},
			"skctl: simulate: TRACE is missing\n  hint: see skctl simulate --help\n",
		},
		"two traces": {
			[]string{"sim", "a", "b"},
			"skctl: simulate: too many arguments: must be one TRACE, got 2: a b\n  hint: see skctl simulate --help\n",
		},
		"another time": {
			[]string{"simulate", trace, "--time", "sidereal"},
			"skctl: invalid --time \"sidereal\": must be virtual or real\n  hint: see skctl simulate --help\n",
		},
		"speed of virtual time": {
			[]string{"simulate", trace, "--speed", "2"},
			"skctl: invalid --speed 2: requires --time real; virtual time runs as fast as possible\n  hint: see skctl simulate --help\n",
		},
		"program in virtual time": {
			[]string{"simulate", trace, "--with", "./a --b"},
			"skctl: invalid --with \"./a --b\": requires --time real; in virtual time no other program can reach the control plane\n  hint: see skctl simulate --help\n",
		},
		"no program": {
			[]string{"simulate", trace, "--time", "real", "--with", " ", "--with", "a\x00b"},
			"skctl: invalid --with \" \": must be a command line\nskctl: invalid --with \"a\\x00b\": must not contain NUL bytes\n  hint: see skctl simulate --help\n",
		},
		"seed of real time": {
			[]string{"simulate", trace, "--time", "real", "--seed", "7"},
			"skctl: invalid --seed 7: requires --time virtual; on the wall clock simulations are not repeatable\n  hint: see skctl simulate --help\n",
		},
		"interval without an autoscaler": {
			[]string{"simulate", "x", "--consolidation-interval", "1m"},
			"skctl: invalid --consolidation-interval \"1m\": requires --autoscaler karpenter\n  hint: see skctl simulate --help\n",
		},
		"interval below that of Karpenter": {
			[]string{"simulate", "x", "--autoscaler", "karpenter", "--consolidation-interval", "9s"},
			"skctl: invalid --consolidation-interval \"9s\": must be at least 10s\n  hint: see skctl simulate --help\n",
		},
		"too few repetitions": {
			[]string{"simulate", trace, "-N", "0", "--parallel", "-1"},
			"skctl: invalid --repetitions 0: must be at least 1\nskctl: invalid --parallel -1: must be 0 or more\n  hint: see skctl simulate --help\n",
		},
		"too few seeds": {
			[]string{"simulate", trace, "-N", "3", "--seed", "18446744073709551614"},
			"skctl: invalid --seed: there are not 3 seeds from 18446744073709551614 on: the largest is 18446744073709551615\n  hint: see skctl simulate --help\n",
		},
		"many at once": {
			[]string{"simulate", trace, "--time", "real", "--speed", "0", "--duration", "5", "--name", "A", "--crds", "none.yaml"},
			"skctl: invalid --speed 0: must be more than 0\n" +
				"skctl: invalid --duration: not a duration: \"5\" has no unit after 5 (accepted: 90s, 5m, +5m, 1h30m, 2d, 250ms)\n" +
				"skctl: invalid --crds none.yaml: no such file or directory\n" +
				"skctl: invalid --name \"A\": must be at most 40 lower-case letters, digits and dashes, and begin and end with a letter or digit\n" +
				"  hint: see skctl simulate --help\n",
		},
		"cluster alone": {
			[]string{"cluster"},
			"skctl: cluster: missing subcommand: must be up, down, status or kubeconfig\n  hint: see skctl cluster --help\n",
		},
		"cluster up auto": {
			[]string{"cluster", "up", "--nodes", "auto"},
			"skctl: invalid --nodes \"auto\": must be a number or a file; there is no trace\n  hint: see skctl cluster up --help\n",
		},
		"unknown shell": {
			[]string{"completions", "tcsh"},
			"skctl: invalid shell \"tcsh\": must be bash, zsh, fish or powershell\n  hint: see skctl completions --help\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, tc.args...)
			if code != exitUsage {
				t.Errorf("exit code is %d, want %d", code, exitUsage)
			}
			if stdout != "" {
				t.Errorf("standard output is %q, want nothing", stdout)
			}
			if diff := cmp.Diff(tc.want, stderr); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRun_Failed(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "a.sktrace")
	if err := os.WriteFile(trace, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "old")
	if err := results.Write(old, sample.Empty(), results.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Setenv(skcluster.EnvVirtualPath, "/no/such/sk-cluster")
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"no such trace":     {[]string{"simulate", "/no/such.sktrace"}, "skctl: open trace /no/such.sktrace: no such file or directory\n"},
		"trace is a folder": {[]string{"simulate", dir}, "skctl: open trace " + dir + ": is a folder\n  hint: use a file; the names of traces end in .sktrace\n"},
		"output in use":     {[]string{"simulate", trace, "-o", dir, "--overwrite"}, "skctl: " + dir + " exists and is not a result folder\n  hint: use another --output that does not exist yet\n"},
		"results there":     {[]string{"simulate", trace, "-o", old}, "skctl: " + old + " already holds results\n  hint: use another --output, or --overwrite to replace the results in it\n"},
		"no sk-cluster":     {[]string{"simulate", trace, "-o", old, "--overwrite"}, "hint: run `make build` in SimKube's source, or set SIMKUBE_SK_CLUSTER_VIRTUAL (for --time real and clusters, SIMKUBE_SK_CLUSTER) to its path\n"},
		"repeated over":     {[]string{"simulate", trace, "-o", old, "-N", "2"}, "skctl: " + old + " already holds results\n  hint: use another --output, or --overwrite to replace the results in it\n"},
		"repeated, alone":   {[]string{"simulate", trace, "-o", old, "-N", "2", "--overwrite"}, "SIMKUBE_SK_CLUSTER) to its path\n"},
		"no cluster":        {[]string{"cluster", "kubeconfig", "--name", "x"}, "skctl: no such cluster: x\n  hint: to start one, run skctl cluster up --name x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, tc.args...)
			if code != exitFailed || stdout != "" || !strings.HasSuffix(stderr, tc.want) {
				t.Errorf("exit code %d, standard output %q, standard error\n%s\nwant %d, nothing, and\n%s", code, stdout, stderr, exitFailed, tc.want)
			}
		})
	}
}

func TestRun_Done(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string // in standard output
	}{
		"version":      {[]string{"version"}, "skctl v1.2.3 ("},
		"no arguments": {nil, "Available Commands:"},
		"help":         {[]string{"simulate", "--help"}, "Exit status: 0 success, 1 failure, 2 invalid usage, 3 deviations with --strict, 130 interrupted."},
		"crd":          {[]string{"crd"}, "name: simulations.simkube.io"},
		"bash":         {[]string{"completions", "bash"}, "__start_skctl"},
		"zsh":          {[]string{"completions", "zsh"}, "#compdef skctl"},
		"fish":         {[]string{"completions", "fish"}, "complete -c skctl"},
		"no clusters":  {[]string{"cluster", "status", "-o", "json"}, "[]"},
		"nodes":        {[]string{"__complete", "simulate", "--nodes", ""}, "auto\nrecorded\n:0"},
		"trace files":  {[]string{"__complete", "simulate", ""}, "sktrace\n:8"},
		"flag values":  {[]string{"__complete", "version", "-v", ""}, "error\nwarn\ninfo\ndebug\n:4"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, tc.args...)
			if code != exitDone || !strings.Contains(stdout, tc.want) {
				t.Errorf("exit code %d, standard error %q, standard output\n%s\nwant %d and %q", code, stderr, stdout, exitDone, tc.want)
			}
		})
	}
}

func TestRun_AsPlugin(t *testing.T) {
	var out bytes.Buffer
	Run(t.Context(), Streams{Out: &out, Err: &out}, "", []string{"/usr/bin/kubectl-simkube", "simulate", "--help"})
	if want := "kubectl simkube simulate TRACE"; !strings.Contains(out.String(), want) {
		t.Errorf("help lacks %q:\n%s", want, out.String())
	}
}

func TestSimulateOptions_Spec(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 30, 0, 0, time.UTC)
	opts := simulateOptions{
		time: "real", speed: 2.5, repetitions: 1, duration: "+90m", nodes: "7", shape: "cpu=4,memory=8Gi,pods=10",
		imagePull: "250", imagePullJitter: "0", podStartup: "1s", podStartupJitter: "1m30s", align: true,
		customControllers: "none",
	}
	got, err := opts.spec("/traces/My Trace_1.sktrace", now)
	if err != nil {
		t.Fatal(err)
	}
	nodeSpec, err := nodes.ParseSpec("7", "cpu=4,memory=8Gi,pods=10")
	if err != nil {
		t.Fatal(err)
	}
	want := simulation.Spec{
		Name: "my-trace-1", Trace: "/traces/My Trace_1.sktrace", Output: "my-trace-1-20250301-123000",
		Time: simulation.Real, Speed: 2.5, Duration: 90 * time.Minute, Nodes: nodeSpec, Align: true, CustomControllers: simulation.NoStandIn,
		Delays: mutate.Delays{ImagePull: 250 * time.Millisecond, PodStartup: time.Second, PodStartupJitter: 90 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("specification (-want +got):\n%s", diff)
	}
}

func TestSimulateOptions_Seed(t *testing.T) {
	const seed = 1<<64 - 1
	opts := parsed(t, "--seed", strconv.FormatUint(seed, 10))
	got, err := opts.spec("a.sktrace", time.Time{})
	if err != nil || got.Seed != seed {
		t.Errorf("got seed %d and error %v, want %d", got.Seed, err, uint64(seed))
	}
}

// parsed returns the options of a command line.
func parsed(t *testing.T, args ...string) simulateOptions {
	t.Helper()
	var opts simulateOptions
	var cmd cobra.Command
	opts.addFlags(&cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return opts
}

func TestExitCode(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	if got := exitCode(ctx, context.Canceled); got != exitInterrupted {
		t.Errorf("an interrupted command exits with %d, want %d", got, exitInterrupted)
	}
	if got := exitCode(ctx, nil); got != exitDone {
		t.Errorf("a command that was done in spite of an interrupt exits with %d, want %d", got, exitDone)
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/a/b-c.d": "/a/b-c.d", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}
