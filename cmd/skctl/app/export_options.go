package app

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/tracerclient"
	"simkube.io/simkube/storage/location"
)

const defaultTracerAddress = "http://localhost:7777"

// exportOptions are the values of export's flags.
type exportOptions struct {
	start, end                             string
	excludedNamespaces, includedNamespaces []string
	excludedLabels, includedLabels         []string
	transform, output                      string
	strict                                 bool

	address, caFile             string
	token, tokenFile            string
	tracerNamespace, tracerName string
	// isAddressGiven is set if the user set the address.
	isAddressGiven bool
	kube           *genericclioptions.ConfigFlags
}

// excludedByDefault returns the namespaces of system components.
func excludedByDefault() []string {
	return []string{"cert-manager", "default", "kube-public", "kube-node-lease", "kube-system", "local-path-storage", "monitoring", "simkube"}
}

func (o *exportOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.start, "start-time", "s", "-30m", "beginning of the trace; a duration is relative to the end")
	f.StringVarP(&o.end, "end-time", "t", "now", "end of the trace")
	f.StringSliceVar(&o.excludedNamespaces, "excluded-namespaces", excludedByDefault(), "namespaces to exclude")
	f.StringSliceVar(&o.includedNamespaces, "included-namespaces", nil, "exclude all other namespaces (default none)")
	f.StringArrayVar(&o.excludedLabels, "excluded-labels", nil, "exclude objects with these labels, e.g. app=x,tier!=y (repeatable)")
	f.StringArrayVar(&o.includedLabels, "included-labels", nil, "exclude objects without these labels (repeatable: one of them must match; also --labels)")
	f.StringVar(&o.transform, "transform", "", "SKEL program with which the tracer transforms the trace")
	f.BoolVar(&o.strict, "strict", false, "with --transform, fail, and store nothing, if a command changes nothing")
	f.StringVarP(&o.output, "output-path", "o", "output.sktrace", "file, or bucket URL, for the trace")
	f.StringVar(&o.address, "tracer-address", defaultTracerAddress, "address of the tracer; if it is not set and nothing responds, the tracer is searched for in the cluster")
	f.StringVar(&o.caFile, "tracer-ca-file", "", "file of certificates to trust for an https:// address (default the system's)")
	f.StringVar(&o.token, "token", "", "token for the tracer; other users of this machine may see it, so prefer --token-file")
	f.StringVar(&o.tokenFile, "token-file", "", "file with a token for the tracer")
	f.StringVar(&o.tracerNamespace, "tracer-namespace", "", "namespace of the tracer (default --namespace, "+tracerclient.DefaultNamespace+", or wherever there is one)")
	f.StringVar(&o.tracerName, "tracer-service", "", "name of the tracer's service (default "+tracerclient.DefaultService+")")
	// kubectl's --token is for the API server. That comes from the kubeconfig here.
	o.kube.BearerToken = nil
	addKubeFlags(cmd, o.kube)

	acceptFlags(cmd, map[string]string{"labels": "included-labels", "namespaces": "included-namespaces", "output": "output-path"})
	_ = cmd.MarkFlagFilename("transform", "skel")
	_ = cmd.MarkFlagFilename("output-path", "sktrace")
	_ = cmd.MarkFlagFilename("token-file")
	_ = cmd.MarkFlagFilename("tracer-ca-file", "pem", "crt")
	for _, name := range []string{
		"start-time", "end-time", "excluded-namespaces", "included-namespaces", "excluded-labels", "included-labels",
		"tracer-address", "token", "tracer-namespace", "tracer-service",
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// plan converts the flags to a request, and returns all their errors at once.
func (o *exportOptions) plan(cmd *cobra.Command, now time.Time) (exportPlan, error) {
	var (
		plan     exportPlan
		problems []error
	)
	check := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	o.isAddressGiven = cmd.Flags().Changed("tracer-address")
	start, end, err := o.times(now)
	check(err)
	output, err := location.Parse(o.output)
	switch {
	case err != nil:
		check(fmt.Errorf("invalid --output-path: %w", err))
	case output.ReadOnly():
		check(fmt.Errorf("invalid --output-path %s: cannot write to %s URLs", o.output, output.Scheme))
	}
	excludedLabels, err := labelSelectors("--excluded-labels", o.excludedLabels)
	check(err)
	includedLabels, err := labelSelectors("--included-labels", o.includedLabels)
	check(err)
	check(checkAddress(o.address))
	if o.token != "" && o.tokenFile != "" {
		check(errors.New("--token and --token-file: only one of them can be used"))
	}

	excluded := o.excludedNamespaces
	if !cmd.Flags().Changed("excluded-namespaces") {
		// A namespace that is included explicitly is not excluded by default.
		excluded = slices.DeleteFunc(slices.Clone(excluded), func(name string) bool { return slices.Contains(o.includedNamespaces, name) })
	}
	plan.output = output
	plan.request = simkubev1.ExportRequest{
		StartTS: start.Unix(), EndTS: end.Unix(), ExportPath: output.String(),
		Filters: simkubev1.ExportFilters{
			ExcludedNamespaces: excluded, ExcludedLabels: excludedLabels,
			IncludedNamespaces: o.includedNamespaces, IncludedLabels: includedLabels,
		},
	}
	if output.Local() {
		// The tracer need not know where the trace is stored here.
		plan.request.ExportPath = filepath.Base(output.Key)
	}
	if o.strict && o.transform == "" {
		check(errors.New("invalid --strict: it needs --transform"))
	}
	if len(problems) == 0 {
		for _, problem := range plan.request.Validate() {
			check(errors.New(problem.String()))
		}
	}
	return plan, errors.Join(problems...)
}

// times parses the two times.
func (o *exportOptions) times(now time.Time) (start, end time.Time, err error) {
	end, err = timespec.ParseTime(o.end, now, now)
	if err != nil {
		return start, end, fmt.Errorf("invalid --end-time: %w", err)
	}
	start, err = timespec.ParseTime(o.start, now, end)
	if err != nil {
		return start, end, fmt.Errorf("invalid --start-time: %w", err)
	}
	if start.Unix() >= end.Unix() {
		return start, end, fmt.Errorf("invalid --start-time %s (%s): must be before --end-time %s (%s)",
			o.start, start.UTC().Format(time.RFC3339), o.end, end.UTC().Format(time.RFC3339))
	}
	return start, end, nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return fmt.Errorf("invalid --tracer-address %q: must be an address such as %s", address, defaultTracerAddress)
	}
	return nil
}
