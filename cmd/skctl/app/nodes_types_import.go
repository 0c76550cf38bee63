package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"simkube.io/simkube/internal/instancetypes"
	"simkube.io/simkube/internal/printable"
)

func newNodesTypesImport(p *program) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Convert instance types of Karpenter's provider for KWOK",
		Long: `import reads a JSON file of instance types as Karpenter's provider for KWOK takes it
(--instance-types-file-path), and writes a file for skctl simulate --instance-types, in YAML. The types
have the labels and the overhead that they have there. Notes on the standard error say what is left out.

FILE is a path, or - for the standard input.` + exitStatus,
		Example: `  skctl nodes types import instance_types.json -o types.yaml
  skctl simulate prod.sktrace --autoscaler karpenter --instance-types types.yaml`,
		Args:              oneArg("FILE"),
		ValidArgsFunction: completeFiles(1, "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.runNodesTypesImport(cmd.Context(), args[0], output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write (default the standard output)")
	_ = cmd.MarkFlagFilename("output", "yaml", "yml")
	return cmd
}

func (p *program) runNodesTypesImport(ctx context.Context, file, output string) error {
	name, data, err := p.readInput(ctx, file)
	if err != nil {
		return err
	}
	list, notes, err := instancetypes.ParseKWOK(name, data)
	if err != nil {
		return err
	}
	for _, note := range notes {
		p.notef("note: %s", printable.Line(note))
	}
	if output == "" || output == standardInput {
		return instancetypes.WriteYAML(p.streams.Out, list)
	}
	return p.writeInstanceTypesFile(ctx, output, list)
}

// writeInstanceTypesFile writes a list to a file, or to a bucket.
func (p *program) writeInstanceTypesFile(ctx context.Context, path string, list *instancetypes.List) (err error) {
	out, err := p.create(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	f, err := os.Create(out.Path)
	if err != nil {
		return fmt.Errorf("write %s: %w", out.Name, err)
	}
	if err := errors.Join(instancetypes.WriteYAML(f, list), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", out.Name, err)
	}
	return out.Commit(ctx)
}

// readInput reads a file, or the standard input, and returns its name as well.
func (p *program) readInput(ctx context.Context, file string) (name string, data []byte, err error) {
	if file == standardInput {
		data, err = io.ReadAll(newPatientReader(ctx, p.streams.In))
		if err != nil {
			return "", nil, fmt.Errorf("read the standard input: %w", err)
		}
		return "standard input", data, nil
	}
	if data, err = os.ReadFile(file); err != nil {
		return "", nil, fmt.Errorf("read %s: %w", file, reason(err))
	}
	return file, data, nil
}
