package simtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"k8s.io/client-go/tools/clientcmd"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/simctl"
)

// This test binary is also a program in pods: roleVariable says which.
const (
	roleVariable = "SIMKUBE_SIMTEST_ROLE"
	// roleMortal is an sk-ctrl that is killed after each step once. deathsVariable names the file in which it remembers after which.
	roleMortal     = "mortal"
	deathsVariable = "SIMKUBE_SIMTEST_DEATHS"
)

func play(role string) int {
	if role != roleMortal {
		fmt.Fprintln(os.Stderr, "no such role:", role)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := control(ctx, os.Getenv(deathsVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// control is sk-ctrl without an election, which would have to wait for the lease of the one that was killed.
func control(ctx context.Context, deaths string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv(clientcmd.RecommendedConfigPathEnvVar))
	if err != nil {
		return err
	}
	health := ""
	for _, arg := range os.Args {
		if address, found := strings.CutPrefix(arg, "--health-probe-bind-address="); found {
			health = address
		}
	}
	manager, err := simctl.NewManager(config, simctl.Options{
		Namespace: os.Getenv("CTRL_NAMESPACE"), DriverServiceAccount: os.Getenv("DRIVER_SVC_ACCOUNT"), HealthAddress: health,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		AfterStep: func(_ context.Context, _ *simkubev1.Simulation, step string) {
			if err := dieOnce(deaths, step); err != nil {
				fmt.Fprintln(os.Stderr, "remember to have died:", err)
			}
		},
	})
	if err != nil {
		return err
	}
	return manager.Start(ctx)
}

// dieOnce kills this process unless it was killed after that step before.
func dieOnce(deaths, step string) error {
	died, err := os.ReadFile(deaths)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if slices.Contains(strings.Fields(string(died)), step) {
		return nil
	}
	if err := os.WriteFile(deaths, []byte(string(died)+step+"\n"), 0o600); err != nil {
		return err
	}
	return syscall.Kill(os.Getpid(), syscall.SIGKILL)
}
