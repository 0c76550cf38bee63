package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/ptr"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/printable"
)

// driverContainer is the container of the driver in its pod.
const driverContainer = "driver"

// podPoll is how often logs -f checks for a pod to follow.
const podPoll = time.Second

func newLogs(p *program) *cobra.Command {
	var (
		kube     = newKubeFlags()
		follow   bool
		previous bool
		tail     int64
	)
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print the logs of a simulation's driver",
		Long: `logs prints the log of a simulation's driver. The driver's pod exists while the simulation is running
and is removed when it ends; with -f, logs waits for the pod.` + exitStatus,
		Example: `  skctl logs -f friday
  skctl logs friday --previous`,
		Args:              oneArg("NAME"),
		ValidArgsFunction: p.completeSimulations(kube),
		RunE: func(cmd *cobra.Command, args []string) error {
			if tail < -1 {
				return usage(cmd, fmt.Errorf("invalid --tail %d: must be 0 or more lines, or -1 for all", tail))
			}
			if follow && previous {
				return usage(cmd, errors.New("-f and --previous: only one of them can be used"))
			}
			return p.withSimulations(cmd.Context(), kube, func(ctx context.Context, sims *simulations) error {
				options := &corev1.PodLogOptions{Container: driverContainer, Follow: follow, Previous: previous}
				if tail >= 0 {
					options.TailLines = ptr.To(tail)
				}
				return p.runLogs(ctx, sims, args[0], options)
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVarP(&follow, "follow", "f", false, "keep printing as the driver logs")
	f.BoolVar(&previous, "previous", false, "print the logs of the driver before its last restart")
	f.Int64Var(&tail, "tail", -1, "number of last lines to print; -1 means all")
	addKubeFlags(cmd, kube)
	_ = cmd.RegisterFlagCompletionFunc("tail", cobra.NoFileCompletions)
	return cmd
}

func (p *program) runLogs(ctx context.Context, sims *simulations, name string, options *corev1.PodLogOptions) error {
	client, err := corev1client.NewForConfigAndClient(sims.config, sims.client.client)
	if err != nil {
		return fmt.Errorf("use the kubeconfig: %w", err)
	}
	printed := ""
	for {
		missing, err := p.copyLogs(ctx, sims, client, name, options)
		if missing == "" || err != nil {
			return err
		}
		if missing != printed {
			p.notef("%s", missing)
			printed = missing
		}
		select {
		case <-sims.clock.After(podPoll):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// copyLogs prints the logs. If there are none yet, it returns a message that says what is missing.
func (p *program) copyLogs(ctx context.Context, sims *simulations, client corev1client.CoreV1Interface, name string, options *corev1.PodLogOptions) (missing string, err error) {
	sim, err := sims.simulation(ctx, name)
	if err != nil {
		return "", err
	}
	namespace := sim.Spec.Driver.Namespace
	pod, err := driverPod(ctx, client, sim)
	switch {
	case err != nil:
		return "", podError(ctx, fmt.Errorf("list the pods of namespace %s: %w", namespace, err))
	case !isPlaced(pod) && options.Follow && !isOver(sim):
		return fmt.Sprintf("no driver yet: the simulation is %s", headline(sim)), nil
	case !isPlaced(pod):
		return "", sims.noPod(sim)
	}
	stream, err := client.Pods(namespace).GetLogs(pod.Name, options).Stream(ctx)
	switch {
	case apierrors.IsBadRequest(err) && options.Follow && !isOver(sim):
		return fmt.Sprintf("no logs yet: %v", err), nil
	case err != nil:
		return "", podError(ctx, fmt.Errorf("read the logs of pod %s/%s: %w", namespace, pod.Name, err))
	}
	defer stream.Close()
	out := printable.NewWriter(p.streams.Out)
	_, err = io.Copy(out, stream)
	if err := cmp.Or(err, out.Close()); err != nil {
		return "", podError(ctx, fmt.Errorf("read the logs of pod %s/%s: %w", namespace, pod.Name, err))
	}
	return "", nil
}

// podError returns errInterrupted if the user interrupted the command, and otherwise the error with
// a hint.
func podError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case apierrors.IsForbidden(err):
		return hint(err, "ask an administrator for permission to list pods and get pods/log in that namespace")
	}
	return err
}

// noPod returns an error that explains why there is no pod.
func (s *simulations) noPod(sim *simkubev1.Simulation) error {
	err := fmt.Errorf("read the logs of simulation %s: it has no driver in namespace %s", sim.Name, sim.Spec.Driver.Namespace)
	if isOver(sim) {
		return hint(err, "it is %s, and the driver's pod was deleted; see %s get %s -o wide", stateOf(sim), s.program, sim.Name)
	}
	return hint(err, "it is %s; to wait for the driver, run %s logs -f %s", stateOf(sim), s.program, sim.Name)
}

// isPlaced reports whether a pod is on a node. Until then it has no logs.
func isPlaced(pod *corev1.Pod) bool { return pod != nil && pod.Spec.NodeName != "" }

// driverPod returns the newest pod of the driver's Job, or nil.
func driverPod(ctx context.Context, client corev1client.CoreV1Interface, sim *simkubev1.Simulation) (*corev1.Pod, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	pods, err := client.Pods(sim.Spec.Driver.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "job-name=" + simkubev1.DriverName(sim.Name)})
	if err != nil || len(pods.Items) == 0 {
		return nil, err
	}
	youngest := slices.MaxFunc(pods.Items, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return &youngest, nil
}
