package app

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/words"
)

// nodesTypesOptions are the flags of nodes types.
type nodesTypesOptions struct {
	instanceTypes, sort, output string

	name, selector                       string
	architectures, capacityTypes, zones  []string
	minCPU, maxCPU, minMemory, maxMemory string
	gpus, maxPrice                       string
	resources                            []string
}

func newNodesTypes(p *program) *cobra.Command {
	o := &nodesTypesOptions{}
	cmd := &cobra.Command{
		Use:   "types",
		Short: "List instance types, with their prices",
		Long: `types lists the instance types that nodes of Karpenter can have: those of a built-in list, or of a file.
Flags choose among them; a type must fit all flags. With --capacity-type, --zone and --max-price, other
offerings of a type are left out, too.

CPU and MEMORY are the capacity of a node, in Kubernetes' quantities. PRICE is the lowest one on demand
and SPOT that of spot instances, in US dollars per hour; PER-CPU is PRICE, or SPOT if there is none, for
each CPU.

With -o yaml or json, the list is a file for skctl simulate --instance-types.` + exitStatus,
		Example: `  skctl nodes types --instance-types aws --arch arm64 --min-cpu 4 --max-price 0.3 --sort cpu-price
  skctl nodes types --instance-types aws -l 'karpenter.k8s.aws/instance-category in (c,m,r)' -o yaml > cmr.yaml
  skctl nodes types --instance-types aws --gpus 1 --zone us-east-1a -o wide`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.runNodesTypes(cmd, o)
		},
	}
	o.addFlags(cmd)
	cmd.AddCommand(newNodesTypesImport(p), newNodesTypesSchema(p))
	return cmd
}

func (o *nodesTypesOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.instanceTypes, "instance-types", instancetypes.General, "list of instance types: "+words.Or(append(instancetypes.Names(), "a file")...))
	f.StringVar(&o.name, "name", "", "pattern of names, such as 'm5.*'")
	f.StringSliceVar(&o.architectures, "arch", nil, "architectures, such as amd64 or arm64")
	f.StringVar(&o.minCPU, "min-cpu", "", "least number of CPUs")
	f.StringVar(&o.maxCPU, "max-cpu", "", "largest number of CPUs")
	f.StringVar(&o.minMemory, "min-memory", "", "least memory, such as 16Gi")
	f.StringVar(&o.maxMemory, "max-memory", "", "largest memory")
	f.StringVar(&o.gpus, "gpus", "", "least number of GPUs, of any manufacturer")
	f.StringArrayVar(&o.resources, "resource", nil, "resource that the types must have, with the least amount if it is not 1, such as aws.amazon.com/neuron=2; can be repeated")
	f.StringVarP(&o.selector, "selector", "l", "", "labels of the nodes, as in kubectl")
	f.StringSliceVar(&o.capacityTypes, "capacity-type", nil, "capacity types: "+words.Or(instancetypes.OnDemand, instancetypes.Spot))
	f.StringSliceVar(&o.zones, "zone", nil, "zones")
	f.StringVar(&o.maxPrice, "max-price", "", "highest price, in US dollars per hour")
	f.StringVar(&o.sort, "sort", "", "order: "+words.Or(instancetypes.Orders()...)+" (default that of the list)")
	f.StringVarP(&o.output, "output", "o", outputTable, "output format: "+words.Or(nodesTypesOutputs()...))

	_ = cmd.RegisterFlagCompletionFunc("instance-types", completeInstanceTypes)
	for flag, values := range map[string][]string{
		"capacity-type": {instancetypes.OnDemand, instancetypes.Spot}, "sort": instancetypes.Orders(), "output": nodesTypesOutputs(),
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	for flag, of := range map[string]func(*instancetypes.List) []string{
		"arch": (*instancetypes.List).Architectures, "zone": (*instancetypes.List).Zones, "resource": (*instancetypes.List).Resources, "name": names,
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			list, err := readInstanceTypes(o.instanceTypes)
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return of(list), cobra.ShellCompDirectiveNoFileComp
		})
	}
	for _, flag := range []string{"min-cpu", "max-cpu", "min-memory", "max-memory", "gpus", "selector", "max-price"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions)
	}
}

func nodesTypesOutputs() []string {
	return []string{outputTable, outputWide, outputYAML, outputJSON, outputName}
}

func names(list *instancetypes.List) []string {
	var out []string
	for i := range list.Types {
		out = append(out, list.Types[i].Name)
	}
	return out
}

func (p *program) runNodesTypes(cmd *cobra.Command, o *nodesTypesOptions) error {
	query, err := o.query()
	if err != nil {
		return usage(cmd, err)
	}
	list, err := readInstanceTypes(o.instanceTypes)
	if err != nil {
		return err
	}
	if err := o.checkAgainst(list); err != nil {
		return usage(cmd, err)
	}
	selected := list.Select(query)
	if len(selected.Types) == 0 {
		return hint(fmt.Errorf("no instance type of %s fits the flags", o.instanceTypes), "to see all, run %s nodes types --instance-types %s", p.name, o.instanceTypes)
	}
	if o.sort != "" {
		selected.Sort(o.sort)
	}
	switch o.output {
	case outputYAML:
		return instancetypes.WriteYAML(p.streams.Out, selected)
	case outputJSON:
		return instancetypes.WriteJSON(p.streams.Out, selected)
	case outputName:
		for _, name := range names(selected) {
			if err := p.printf("%s\n", name); err != nil {
				return err
			}
		}
		return nil
	}
	return writeInstanceTypes(p.streams.Out, selected, o.output == outputWide)
}

// readInstanceTypes reads a built-in list of instance types, or a file.
func readInstanceTypes(name string) (*instancetypes.List, error) {
	list, err := instancetypes.Open(name)
	if unreadable := (*fs.PathError)(nil); errors.As(err, &unreadable) {
		return nil, hint(fmt.Errorf("read the instance types %s: %w", name, reason(err)), "the built-in lists are %s", words.And(instancetypes.Names()...))
	}
	return list, err
}

// completeInstanceTypes completes the names of built-in lists, and files.
func completeInstanceTypes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return instancetypes.Names(), cobra.ShellCompDirectiveDefault
}

func newNodesTypesSchema(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of files of instance types",
		Long: `schema prints the JSON Schema (draft 2020-12) of files for skctl simulate --instance-types. Editors use it
to complete and check such files.`,
		Example: "  skctl nodes types schema > instance-types.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := p.streams.Out.Write(instancetypes.Schema())
			return err
		},
	}
}
