package simtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"k8s.io/client-go/tools/clientcmd"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller"
	"simkube.io/simkube/internal/controller/allowlist"
)

// This test binary is also a program in pods, selected by roleVariable.
const (
	roleVariable = "SIMKUBE_SIMTEST_ROLE"
	// roleMortal is an sk-ctrl that is killed once after each step, roleFrail one that is killed after
	// each write, before it receives the response. deathsVariable is the file in which they record
	// that.
	roleMortal, roleFrail = "mortal", "frail"
	deathsVariable        = "SIMKUBE_SIMTEST_DEATHS"
	// maxSameDeaths is how often the frail one is killed after the same request: a status is written
	// again and again.
	maxSameDeaths = 12
)

func play(role string) int {
	d := death{file: os.Getenv(deathsVariable)}
	options := controller.Options{HookCommands: true}
	var err error
	if options.Images, err = allowlist.ParseImages([]string{driverImage}); err == nil {
		options.TracePaths, err = allowlist.ParsePaths([]string{"*"})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var wrap func(http.RoundTripper) http.RoundTripper
	switch role {
	case roleMortal:
		options.AfterStep = func(_ context.Context, _ *simkubev1.Simulation, step string) { d.come(step, 1) }
	case roleFrail:
		wrap = d.afterWrites
	default:
		fmt.Fprintln(os.Stderr, "no such role:", role)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := control(ctx, options, wrap); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// control runs sk-ctrl without leader election, which would wait for the lease of the killed one.
func control(ctx context.Context, options controller.Options, wrap func(http.RoundTripper) http.RoundTripper) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	if err != nil {
		return err
	}
	if wrap != nil {
		config.Wrap(wrap)
	}
	for _, arg := range os.Args {
		if address, found := strings.CutPrefix(arg, "--health-probe-bind-address="); found {
			options.HealthAddress = address
		}
	}
	options.Namespace, options.DriverServiceAccount = os.Getenv("CTRL_NAMESPACE"), os.Getenv("DRIVER_SVC_ACCOUNT")
	options.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	manager, err := controller.NewManager(config, options)
	if err != nil {
		return err
	}
	return manager.Start(ctx)
}

// death kills this process, and records the reason in a file.
type death struct {
	file string
	mu   sync.Mutex
}

// come kills this process unless it was killed for the same reason often enough.
func (d *death) come(after string, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	died, err := os.ReadFile(d.file)
	if err != nil && !os.IsNotExist(err) {
		fmt.Fprintln(os.Stderr, "remember deaths:", err)
		return
	}
	before := 0
	for _, word := range strings.Fields(string(died)) {
		if word == after {
			before++
		}
	}
	if before >= most {
		return
	}
	// The test reads the file meanwhile: it must never be shorter than before.
	file, err := os.OpenFile(d.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(after + "\n")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "remember a death:", err)
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// afterWrites calls death after each successful write. Events are not counted: nothing depends on
// them.
func (d *death) afterWrites(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		if err == nil && r.Method != http.MethodGet && answer.StatusCode < http.StatusMultipleChoices && !strings.Contains(r.URL.Path, "/events") {
			d.come(r.Method+":"+r.URL.Path, maxSameDeaths)
		}
		return answer, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
