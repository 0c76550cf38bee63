package app

import (
	"testing"

	"github.com/spf13/pflag"

	"simkube.io/simkube/internal/program/programtest"
)

// The table in README.md matches the flags.
func TestDocs_Flags(t *testing.T) {
	var opts options
	flags := pflag.NewFlagSet("sk-driver", pflag.ContinueOnError)
	opts.addFlags(flags)
	programtest.Flags(t, "../README.md", flags)
}
