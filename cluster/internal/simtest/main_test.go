package simtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/planetest"
	"simkube.io/simkube/cluster/internal/testkubelet"
	"simkube.io/simkube/cluster/internal/virtualtime"
)

// env is shared by the tests of this package: there can be one control plane per process.
var env struct {
	config    *rest.Config
	client    client.Client
	dynamic   dynamic.Interface
	discovery discovery.DiscoveryInterface
	kubelet   *testkubelet.Kubelet
	// dir is the folder for the tests' files. programs holds sk-ctrl, sk-driver, skctl and kubectl.
	// trace is a copy of the first example.
	dir, programs, trace string
	kubeconfig           string
}

const (
	// setUpTimeout bounds the preparation of the first test; programs may have to be compiled.
	setUpTimeout = 10 * time.Minute
	// raceVariable builds the programs with the race detector, and makes the tests fail on its output.
	raceVariable = "SIMKUBE_RACE"
	// root is the folder of the repository.
	root = "../../.."
)

func TestMain(m *testing.M) {
	if virtualtime.Enabled {
		fmt.Fprintln(os.Stderr, "these tests start programs, which do not see virtual time")
		os.Exit(1)
	}
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	os.Exit(planetest.Main(controlplane.Options{AggregatorRouting: true, RealNodes: true, KubeAPIQPS: -1},
		func(plane *controlplane.ControlPlane) (int, error) { return runAll(m, plane) }))
}

func runAll(m *testing.M, plane *controlplane.ControlPlane) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), setUpTimeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "simtest-*")
	if err != nil {
		return 1, err
	}
	defer func() {
		if code == 0 && err == nil {
			err = os.RemoveAll(dir)
		} else {
			fmt.Fprintln(os.Stderr, "logs are in", dir)
		}
	}()
	if err := build(ctx, dir); err != nil {
		return 1, err
	}
	log, err := os.Create(filepath.Join(dir, "kubelet.log"))
	if err != nil {
		return 1, err
	}
	defer log.Close()
	env.kubeconfig = plane.Kubeconfig()
	if err := connect(plane.RESTConfig()); err != nil {
		return 1, err
	}
	env.kubelet, err = testkubelet.Start(ctx, testkubelet.Options{
		Kubeconfig: plane.Kubeconfig(), Dir: filepath.Join(dir, "kubelet"), Logger: slog.New(slog.NewTextHandler(log, nil)),
		Images: map[string][]string{ctrlImage: {filepath.Join(env.programs, "sk-ctrl")}, driverImage: {filepath.Join(env.programs, "sk-driver")}},
	})
	if err != nil {
		return 1, fmt.Errorf("start the kubelet: %w", err)
	}
	defer func() {
		if stopErr := env.kubelet.Stop(context.Background()); stopErr != nil && err == nil {
			err = stopErr
		}
	}()
	if err := install(ctx); err != nil {
		return 1, fmt.Errorf("install: %w\n%s", err, ctrlLogs(ctx))
	}
	before, err := everything(ctx)
	if err != nil {
		return 1, err
	}
	operators, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { playOperators(operators, log) })
	defer running.Wait()
	defer stop()
	if err := setConcurrency(); err != nil {
		return 1, err
	}
	code = m.Run()
	err = errors.Join(endConcurrency(context.Background()), waitUntilSame(context.Background(), before))
	if os.Getenv(raceVariable) != "" {
		err = errors.Join(err, noRaces(filepath.Join(dir, "kubelet", "logs")))
	}
	return code, err
}

// noRaces searches the programs' output for reports of the race detector.
func noRaces(logs string) error {
	return filepath.WalkDir(logs, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if before, race, found := bytes.Cut(text, []byte("WARNING: DATA RACE")); found {
			return fmt.Errorf("%s, line %d: a data race:%.4000s", path, bytes.Count(before, []byte("\n"))+1, race)
		}
		return err
	})
}

// build makes the programs and takes a copy of the trace. Those of make are used, which builds what
// has changed, unless they are to have the race detector.
func build(ctx context.Context, dir string) error {
	env.dir, env.trace = dir, filepath.Join(dir, "trace")
	trace, err := os.ReadFile(filepath.Join(root, "examples", "first-steps.sktrace"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(env.trace, trace, 0o600); err != nil {
		return err
	}
	programs := []string{"sk-ctrl", "sk-driver", "skctl", "kubectl"}
	args := []string{"-C", root, "--no-print-directory"}
	for _, program := range programs {
		args = append(args, "bin/"+program)
	}
	if err := execute(exec.CommandContext(ctx, "make", args...)); err != nil {
		return err
	}
	if env.programs, err = filepath.Abs(filepath.Join(root, "bin")); err != nil || os.Getenv(raceVariable) == "" {
		return err
	}
	made := env.programs
	env.programs = filepath.Join(dir, "bin")
	if err := os.Mkdir(env.programs, 0o700); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(made, "kubectl"), filepath.Join(env.programs, "kubectl")); err != nil {
		return err
	}
	race := exec.CommandContext(ctx, "go", "build", "-race", "-o", env.programs+string(filepath.Separator),
		"./cmd/sk-ctrl", "./cmd/sk-driver", "./cmd/skctl")
	race.Dir, race.Env = root, append(os.Environ(), "CGO_ENABLED=1")
	return execute(race)
}

// execute runs a command. Its error includes the command's output.
func execute(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

func connect(config *rest.Config) error {
	env.config = config
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, simkubev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	var err error
	if env.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if env.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	env.discovery, err = discovery.NewDiscoveryClientForConfig(config)
	return err
}
