package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"

	"simkube.io/simkube/internal/tracer/rbac"
	"simkube.io/simkube/trace"
)

// tracerRBACOptions are tracer-rbac's flags.
type tracerRBACOptions struct {
	name              string
	noNodes, discover bool
	auth              string
	kube              *genericclioptions.ConfigFlags
}

// The values of --auth, as sk-tracer has them.
const (
	authToken = "token"
	authNone  = "none"
)

func newTracerRBAC(p *program) *cobra.Command {
	opts := tracerRBACOptions{kube: newKubeFlags()}
	cmd := &cobra.Command{
		Use:   "tracer-rbac CONFIG",
		Short: "Print the ClusterRole that a tracer needs for its configuration",
		Long: `tracer-rbac prints a ClusterRole that lets a tracer read the kinds of a tracer configuration, the
pods and owners that it looks at because of them, and nothing else. CONFIG is a file, or - for standard input.

The resources of Kubernetes' own kinds are known. Those of other kinds are guessed, with a comment
that says so; with --discover the cluster of the kubeconfig is asked.

Exit status: 0 done, 1 failed, 2 wrong usage.`,
		Example: `  skctl tracer-rbac tracer.yaml | kubectl apply -f -
  skctl tracer-rbac tracer.yaml --discover --context prod`,
		Args: oneArg("CONFIG"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.auth != authToken && opts.auth != authNone {
				return usage(cmd, fmt.Errorf("--auth %q: accepted are %s and %s", opts.auth, authToken, authNone))
			}
			if problems := content.IsPathSegmentName(opts.name); opts.name == "" || len(problems) > 0 {
				return usage(cmd, fmt.Errorf("--name %q: a ClusterRole cannot be called that", opts.name))
			}
			return p.runTracerRBAC(args[0], opts)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&opts.name, "name", "sk-tracer", "name of the ClusterRole")
	f.BoolVar(&opts.noNodes, "no-nodes", false, "leave nodes out, for a tracer with --no-extension")
	f.StringVar(&opts.auth, "auth", authToken, "the tracer's --auth: with token it has to ask who the bearer of a token is")
	f.BoolVar(&opts.discover, "discover", false, "ask the cluster for its resources, instead of guessing")
	addKubeFlags(cmd, opts.kube)
	_ = cmd.RegisterFlagCompletionFunc("auth", cobra.FixedCompletions([]string{authToken, authNone}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("name", cobra.NoFileCompletions)
	return cmd
}

func (p *program) runTracerRBAC(file string, opts tracerRBACOptions) error {
	config, err := p.readTracerConfig(file)
	if err != nil {
		return err
	}
	find := func(gvk schema.GroupVersionKind) (rbac.Resource, error) { return rbac.Guess(gvk), nil }
	if opts.discover {
		if find, err = p.discoverResources(opts.kube); err != nil {
			return err
		}
	}
	role := rbac.Role{Name: opts.name, Made: "Made by skctl tracer-rbac from " + filepath.Base(file) + ".", Reviews: opts.auth == authToken}
	if file == stdinName {
		role.Made = "Made by skctl tracer-rbac."
	}
	for _, gvk := range rbac.Kinds(config, !opts.noNodes) {
		resource, err := find(gvk)
		if errors.Is(err, rbac.ErrNoKind) {
			p.warnf("%v; its resource is a guess", err)
			resource, err = rbac.Guess(gvk), nil
		}
		if err != nil {
			return err
		}
		role.Resources = append(role.Resources, resource)
	}
	if _, err := io.WriteString(p.streams.Out, role.YAML()); err != nil {
		return fmt.Errorf("print the ClusterRole: %w", err)
	}
	return nil
}

// stdinName is the name of a file that means standard input.
const stdinName = "-"

// readTracerConfig reads a tracer's configuration, and shows what is odd about it.
func (p *program) readTracerConfig(file string) (*trace.Config, error) {
	data, err := func() ([]byte, error) {
		if file == stdinName {
			return io.ReadAll(p.streams.In)
		}
		return os.ReadFile(file)
	}()
	if err != nil {
		return nil, fmt.Errorf("read the tracer configuration %s: %w", file, reason(err))
	}
	config, warnings, err := trace.ParseConfig(data)
	for _, warning := range warnings {
		p.warnf("%s: %s", file, warning)
	}
	if err != nil {
		return nil, fmt.Errorf("read the tracer configuration %s: %w", file, err)
	}
	return config, nil
}

// discoverResources returns a function that asks a cluster.
func (p *program) discoverResources(kube *genericclioptions.ConfigFlags) (func(schema.GroupVersionKind) (rbac.Resource, error), error) {
	config, err := p.kubeConfig(kube)
	if errors.Is(err, errNoKubeconfig) {
		return nil, hint(errors.New("ask the cluster for its resources: there is no kubeconfig"), "name one with --kubeconfig, or leave --discover out")
	}
	if err != nil {
		return nil, err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("use the kubeconfig: %w", err)
	}
	return func(gvk schema.GroupVersionKind) (rbac.Resource, error) { return rbac.Discover(client, gvk) }, nil
}
