package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"simkube.io/simkube/config"
)

func newCRD(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "crd",
		Short:   "Print the custom resource definitions",
		Long:    "crd prints SimKube's custom resource definitions as YAML, for kubectl apply.",
		Example: "  skctl crd | kubectl apply -f -",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			// Each file begins with a document separator.
			for _, file := range config.CRDs() {
				if _, err := p.streams.Out.Write(file.Data); err != nil {
					return fmt.Errorf("print %s: %w", file.Name, err)
				}
			}
			return nil
		},
	}
}
