package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/internal/tracer/server"
	"simkube.io/simkube/internal/tracerclient"
	"simkube.io/simkube/trace"
)

const exampleTrace = "../../../examples/first-steps.sktrace"

func TestExportOptions_Plan(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 30, 0, 500, time.UTC)
	for name, tc := range map[string]struct {
		args []string
		want simkubev1.ExportRequest
		out  string
	}{
		"defaults": {nil, simkubev1.ExportRequest{
			StartTS: now.Unix() - 1800, EndTS: now.Unix(), ExportPath: "output.sktrace",
			Filters: simkubev1.ExportFilters{ExcludedNamespaces: excludedByDefault()},
		}, "output.sktrace"},
		"all of them": {
			[]string{
				"-s", "-2h", "-t", "2025-03-01T12:00:00Z", "--excluded-namespaces", "a,b", "--included-namespaces", "c", "--excluded-labels", "app=x,tier!=y",
				"--excluded-labels", "gone", "--labels", "team in (p,q)", "--included-labels", "z=1", "-o", "az://traces/prod/x.sktrace",
			},
			simkubev1.ExportRequest{
				StartTS: now.Unix() - 9000, EndTS: now.Unix() - 1800, ExportPath: "azure://traces/prod/x.sktrace",
				Filters: simkubev1.ExportFilters{
					ExcludedNamespaces: []string{"a", "b"}, IncludedNamespaces: []string{"c"},
					ExcludedLabels: []metav1.LabelSelector{
						{MatchLabels: map[string]string{"app": "x"}, MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "NotIn", Values: []string{"y"}}}},
						{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "gone", Operator: "Exists"}}},
					},
					IncludedLabels: []metav1.LabelSelector{
						{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "In", Values: []string{"p", "q"}}}},
						{MatchLabels: map[string]string{"z": "1"}},
					},
				},
			},
			"azure://traces/prod/x.sktrace",
		},
		"asked for by name": {
			[]string{"--included-namespaces", "monitoring,shop", "-o", "file:///tmp/a/b.sktrace"},
			simkubev1.ExportRequest{
				StartTS: now.Unix() - 1800, EndTS: now.Unix(), ExportPath: "b.sktrace",
				Filters: simkubev1.ExportFilters{
					ExcludedNamespaces: []string{"cert-manager", "default", "kube-public", "kube-node-lease", "kube-system", "local-path-storage", "simkube"},
					IncludedNamespaces: []string{"monitoring", "shop"},
				},
			},
			"/tmp/a/b.sktrace",
		},
		"nothing excluded": {[]string{"--excluded-namespaces", ""}, simkubev1.ExportRequest{
			StartTS: now.Unix() - 1800, EndTS: now.Unix(), ExportPath: "output.sktrace",
			Filters: simkubev1.ExportFilters{ExcludedNamespaces: []string{}},
		}, "output.sktrace"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, opts := exportCommand(t, tc.args)
			got, err := opts.plan(cmd, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.request); diff != "" || got.output.String() != tc.out {
				t.Errorf("output is %s, want %s; request (-want +got):\n%s", got.output, tc.out, diff)
			}
		})
	}
}

func exportCommand(t *testing.T, args []string) (*cobra.Command, *exportOptions) {
	t.Helper()
	opts := exportOptions{kube: newKubeFlags()}
	cmd := &cobra.Command{}
	opts.addFlags(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return cmd, &opts
}

func TestRun_Export_WrongUsage(t *testing.T) {
	const seeHelp = "\n  hint: see skctl export --help\n"
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"many at once": {
			[]string{"--start-time", "yesterday", "-o", "ftp://x/y", "--excluded-labels", "a b", "--labels", "", "--tracer-address", "localhost"},
			"skctl: invalid --start-time: not a time: \"yesterday\" is unknown (accepted: -2h, -30m, now, +5m, " +
				"\"10 minutes ago\", 2024-01-01T12:00:00Z, 2024-01-01T12:00:00 (local), 2024-01-01, 1704110400 (unix seconds))\n" +
				"skctl: invalid --output-path: \"ftp://x/y\" does not name an object: unknown scheme \"ftp://\": must be s3://, gs://, azure://, file://, http:// or https://\n" +
				"skctl: invalid --excluded-labels \"a b\": unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt\n" +
				"skctl: invalid --included-labels \"\": must have a label, such as app=x,tier!=y\n" +
				"skctl: invalid --tracer-address \"localhost\": must be an address such as http://localhost:7777",
		},
		"an empty time": {
			[]string{"-s", "2025-03-01", "-t", "2025-03-01"},
			"skctl: invalid --start-time 2025-03-01 (2025-03-01T00:00:00Z): must be before --end-time 2025-03-01 (2025-03-01T00:00:00Z)",
		},
		"a namespace":  {[]string{"--included-namespaces", "A.b"}, "skctl: filters.included_namespaces[0]: \"A.b\" is not the name of a namespace: "},
		"web":          {[]string{"-o", "https://example.com/x"}, "skctl: invalid --output-path https://example.com/x: cannot write to https URLs"},
		"two tokens":   {[]string{"--token", "a", "--token-file", "b"}, "skctl: --token and --token-file: only one of them can be used"},
		"an argument":  {[]string{"x"}, "skctl: unknown command \"x\" for \"skctl export\""},
		"greater than": {[]string{"--excluded-labels", "a>1"}, "skctl: invalid --excluded-labels \"a>1\": "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TZ", "UTC")
			code, stdout, stderr := run(t, append([]string{"export"}, tc.args...)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code is %d, standard output %q", code, stdout)
			}
			if !strings.HasPrefix(stderr, tc.want) || !strings.HasSuffix(stderr, seeHelp) {
				t.Errorf("standard error is\n%s\nwant\n%s%s", stderr, tc.want, seeHelp)
			}
		})
	}
}

// tracer is a real server of the API, which exports an example.
type tracer struct {
	address string

	report *simkubev1.ExportReport // of the next exports

	mu       sync.Mutex // guards requests
	requests []simkubev1.ExportRequest
}

func startTracer(t *testing.T, opts server.Options, export func(w io.Writer) error) *tracer {
	t.Helper()
	tr := &tracer{}
	if export == nil {
		export = func(w io.Writer) error {
			data, err := os.ReadFile(exampleTrace)
			if err != nil {
				return err
			}
			_, err = w.Write(data)
			return err
		}
	}
	opts.Exporter = exporter(func(_ context.Context, r simkubev1.ExportRequest, w io.Writer) (server.Summary, error) {
		tr.mu.Lock()
		tr.requests = append(tr.requests, r)
		tr.mu.Unlock()
		return server.Summary{Events: 1234, Objects: 56789, Start: r.StartTS + 60, Report: tr.report}, export(w)
	})
	opts.Status = func() simkubev1.TracerStatus { return simkubev1.TracerStatus{} }
	opts.Logger = slog.New(slog.DiscardHandler)
	handler, err := server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(handler)
	t.Cleanup(api.Close)
	tr.address = api.URL
	return tr
}

type exporter func(context.Context, simkubev1.ExportRequest, io.Writer) (server.Summary, error)

func (f exporter) Export(ctx context.Context, r simkubev1.ExportRequest, w io.Writer) (server.Summary, error) {
	return f(ctx, r, w)
}

func TestRun_Export(t *testing.T) {
	tr := startTracer(t, server.Options{CheckTransform: func(string) []simkubev1.Problem { return nil }}, nil)
	dir := t.TempDir()
	skel := filepath.Join(dir, "a.skel")
	if err := os.WriteFile(skel, []byte("remove(x);"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "out.sktrace")
	code, stdout, stderr := run(t, "x", "-s", "0", "-t", "7200", "--tracer-address", tr.address, "-o", path, "--transform", skel)
	want := "exporting 1970-01-01T00:00:00Z to 1970-01-01T02:00:00Z from " + tr.address + "\n"
	if code != exitDone || stdout != "" || !strings.HasPrefix(stderr, want) || !strings.Contains(stderr, "warning: the tracer's data begins at ") ||
		!strings.HasSuffix(stderr, ", to "+path+"\n") {
		t.Errorf("exit code %d, standard output %q, standard error\n%s", code, stdout, stderr)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(exampleTrace)
	if err != nil || !bytes.Equal(got, example) {
		t.Errorf("%d bytes were stored, want the %d of the example: %v", len(got), len(example), err)
	}
	if r := tr.requests[0]; r.Transform != "remove(x);" || r.ExportPath != "out.sktrace" {
		t.Errorf("the request has the transform %q and the path %q", r.Transform, r.ExportPath)
	}
}

// An export without objects says why that may be: the namespace "default" is excluded by default.
func TestRun_Export_Empty(t *testing.T) {
	tr := startTracer(t, server.Options{}, func(w io.Writer) error {
		return (&trace.Trace{Events: []trace.Event{{Time: 0}}}).Write(w)
	})
	path := filepath.Join(t.TempDir(), "out.sktrace")
	code, _, stderr := run(t, "export", "-s", "0", "-t", "60", "--tracer-address", tr.address, "-o", path)
	if want := "warning: the trace has no objects: nothing was recorded in that time, or the filters excluded it (--excluded-namespaces cert-manager,default,"; code != exitDone || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, standard error\n%s\nwant %s", code, stderr, want)
	}
}

// stranger returns the address of a server whose certificate is not trusted.
func stranger(t *testing.T) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestRun_Export_ToBucket(t *testing.T) {
	d, err := server.ParseDestination("s3://traces/prod")
	if err != nil {
		t.Fatal(err)
	}
	tr := startTracer(t, server.Options{Allowed: []server.Destination{d}, Storage: nowhere{}}, nil)
	code, stdout, stderr := run(t, "export", "-s", "0", "-t", "7200", "--tracer-address", tr.address, "-o", "s3://traces/prod/x.sktrace")
	info, err := os.Stat(exampleTrace)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("exporting 1970-01-01T00:00:00Z to 1970-01-01T02:00:00Z from %s\n", tr.address) +
		"warning: the tracer's data begins at 1970-01-01T00:01:00Z, and so does the trace\n" +
		"objects in these namespaces are left out: " + strings.Join(excludedByDefault(), ",") + "; use --excluded-namespaces to choose others\n" +
		fmt.Sprintf("exported 1,234 events with 56,789 objects, %s, to s3://traces/prod/x.sktrace\n", progress.Bytes(info.Size()))
	if code != exitDone || stdout != "" {
		t.Errorf("exit code %d, standard output %q", code, stdout)
	}
	if diff := cmp.Diff(want, stderr); diff != "" {
		t.Errorf("standard error (-want +got):\n%s", diff)
	}
}

// nowhere is a Storage that discards everything.
type nowhere struct{ io.Writer }

func (nowhere) Create(context.Context, string) (server.Upload, error) {
	return nowhere{io.Discard}, nil
}
func (nowhere) Commit() error { return nil }
func (nowhere) Abort() error  { return nil }

func TestRun_Export_Failed(t *testing.T) {
	wantsToken := server.Options{Authorizer: refuseAll{}}
	torn := func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
		return errors.New("the disk broke")
	}
	noTrace := func(w io.Writer) error {
		_, err := io.WriteString(w, "no trace")
		return err
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "x.sktrace")
	for name, tc := range map[string]struct {
		opts   server.Options
		export func(io.Writer) error
		args   []string
		want   []string
	}{
		"not allowed":      {args: []string{"-o", "s3://traces/x"}, want: []string{"the tracer returned 403: export to s3://traces/x: this tracer is not allowed to write to any bucket; destinations are allowed with the tracer's flag --allow-destination"}},
		"a token wanted":   {opts: wantsToken, want: []string{"the tracer returned 401: POST /export requires a token", "hint: use a token: kubectl create token sk-tracer-export -n simkube > token, then --token-file token"}},
		"a token refused":  {opts: wantsToken, args: []string{"--token", "bad"}, want: []string{"the tracer returned 401: the cluster does not accept the token"}},
		"breaks off":       {export: torn, want: []string{"skctl: export from http://127.0.0.1:"}},
		"no trace":         {export: noTrace, want: []string{"check the trace from the tracer: "}},
		"no folder":        {args: []string{"-o", filepath.Join(dir, "none", "x")}, want: []string{"skctl: store the trace in " + filepath.Join(dir, "none") + ": no such file or directory"}},
		"a folder":         {args: []string{"-o", dir}, want: []string{"skctl: store the trace as " + dir + ": it is a folder"}},
		"a device":         {args: []string{"-o", "/dev/null"}, want: []string{"skctl: store the trace as /dev/null: it is a device, pipe or socket", "hint: use a file as --output-path"}},
		"no TLS":           {args: []string{"--tracer-address", strings.Replace(startTracer(t, server.Options{}, nil).address, "http:", "https:", 1)}, want: []string{"hint: the tracer does not use TLS: use --tracer-address http://..."}},
		"a stranger":       {args: []string{"--tracer-address", stranger(t)}, want: []string{"certificate", "hint: use --tracer-ca-file with"}},
		"no transform":     {args: []string{"--transform", "/no/such"}, want: []string{"skctl: read the transformation /no/such: no such file or directory"}},
		"no language":      {args: []string{"--transform", "../main.go"}, want: []string{"the tracer returned 400: invalid request: transform: this tracer cannot transform traces"}},
		"a token in clear": {args: []string{"--tracer-address", "http://tracer.invalid", "--token", "x"}, want: []string{"warning: the token is sent to http://tracer.invalid unencrypted"}},
		"nobody there":     {args: []string{"--tracer-address", "http://" + closedPort(t)}, want: []string{"connection refused"}},
		"no token file":    {args: []string{"--token-file", "/no/such"}, want: []string{"skctl: read --token-file /no/such: no such file or directory"}},
		"empty token file": {args: []string{"--token-file", "/dev/null"}, want: []string{"skctl: read --token-file /dev/null: it is empty"}},
		"no certificate":   {args: []string{"--tracer-ca-file", "../main.go"}, want: []string{"skctl: read --tracer-ca-file ../main.go: it has no certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := startTracer(t, tc.opts, tc.export)
			code, stdout, stderr := run(t, append([]string{"export", "--tracer-address", tr.address, "-o", out}, tc.args...)...)
			if code != exitFailed || stdout != "" {
				t.Errorf("exit code %d, standard output %q", code, stdout)
			}
			for _, want := range tc.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("standard error lacks %q:\n%s", want, stderr)
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
				t.Errorf("left are %v, %v", entries, err)
			}
		})
	}
}

// An interrupted export leaves nothing behind.
func TestRun_Export_Interrupted(t *testing.T) {
	interrupts := make(chan os.Signal, 1)
	done := make(chan struct{})
	defer close(done)
	tr := startTracer(t, server.Options{}, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
		interrupts <- os.Interrupt
		<-done
		return errors.New("the client has gone")
	})
	dir := t.TempDir()
	var out, errs bytes.Buffer
	code := Run(t.Context(), Streams{Out: &out, Err: &errs, Interrupts: interrupts}, "v1",
		[]string{"skctl", "export", "--tracer-address", tr.address, "-o", filepath.Join(dir, "x.sktrace")})
	if code != exitInterrupted || !strings.HasSuffix(errs.String(), "skctl: interrupted\n") {
		t.Errorf("exit code %d, standard error\n%s", code, errs.String())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left are %v, %v", entries, err)
	}
}

// Looking for a tracer fails in clusters that have none, and without a cluster.
func TestConnectTracer_InCluster(t *testing.T) {
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/pods") {
			_, _ = io.WriteString(w, `{"kind":"PodList","apiVersion":"v1","items":[]}`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}))
	defer cluster.Close()
	kubeconfig := filepath.Join(t.TempDir(), "config")
	text := `{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a}}], clusters: [{name: a, cluster: {server: "` + cluster.URL + `"}}]}`
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		kubeconfig, want, hint string
	}{
		"no tracer":     {kubeconfig, "and in the cluster: no tracer: there is no pod with the label app.kubernetes.io/name=sk-tracer in the namespace tools", "install one"},
		"no kubeconfig": {"/no/such", "and without a kubeconfig it cannot be found in a cluster", "--kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", tc.kubeconfig)
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			opts := exportOptions{address: "http://" + closedPort(t), kube: newKubeFlags()}
			*opts.kube.Namespace = "tools"
			p := &program{version: "v1"}
			_, err := p.connectTracer(t.Context(), opts)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(hintFor(err), tc.hint) {
				t.Errorf("error is %v, with the hint %q; want %q, %q", err, hintFor(err), tc.want, tc.hint)
			}
			if errors.Is(err, tracerclient.ErrNoTracer) != (name == "no tracer") {
				t.Errorf("%v is ErrNoTracer, or is not", err)
			}
		})
	}
}

// refuseAll is an Authorizer that rejects everyone.
type refuseAll struct{}

func (refuseAll) Authorize(context.Context, string, string, string) (server.Decision, error) {
	return server.Decision{}, nil
}

// closedPort returns an address on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestIsReadable(t *testing.T) {
	for address, want := range map[string]bool{
		"http://localhost:7777": false, "http://127.0.0.1:7777": false, "http://[::1]:7777": false, "https://tracer.example": false,
		"http://tracer.example:7777": true, "http://10.0.0.1": true, "HTTP://sk-tracer.simkube.svc:7777": true,
	} {
		if got := isReadable(address); got != want {
			t.Errorf("isReadable(%s) = %t, want %t", address, got, want)
		}
	}
}
