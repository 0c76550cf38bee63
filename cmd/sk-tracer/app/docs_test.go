package app

import (
	"testing"

	"github.com/spf13/pflag"

	"simkube.io/simkube/internal/program/programtest"
)

// TestDocs_Flags compares the table in docs/tracer.md with the flags.
func TestDocs_Flags(t *testing.T) {
	var opts options
	flags := pflag.NewFlagSet("sk-tracer", pflag.ContinueOnError)
	opts.addFlags(flags)
	programtest.Flags(t, "../../../docs/tracer.md", flags)
}
