package app

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const repository = "../../.."

var (
	ourLine  = regexp.MustCompile(`(?m)^.*(?:skctl (?:xray|simulate|sim|cluster|crd|trace|transform|skel|export|completions|validate|val|version)|^\| .*--).*$`)
	flagName = regexp.MustCompile(`--([a-z][a-z-]+)`)
)

// TestDocs_Flags checks that the flags which the documents for users show do exist.
func TestDocs_Flags(t *testing.T) {
	var known []string
	var collect func(*cobra.Command)
	collect = func(cmd *cobra.Command) {
		for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
			set.VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		}
		for _, child := range cmd.Commands() {
			collect(child)
		}
	}
	collect(newRoot(&program{name: "skctl"}))

	shown := 0
	for _, name := range []string{
		"README.md", "docs/quickstart.md", "docs/concepts.md", "docs/repetitions.md", "docs/trace-tools.md", "docs/skel.md", "docs/skel-cookbook.md",
		"docs/validation.md", "docs/xray.md", "examples/README.md",
	} {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range ourLine.FindAllString(string(text), -1) {
			if strings.Contains(line, "kwokctl") {
				continue // its flags are another program's
			}
			for _, match := range flagName.FindAllStringSubmatch(line, -1) {
				shown++
				if match[1] != "help" && !slices.Contains(known, match[1]) {
					t.Errorf("%s shows --%s, which no command has: %s", name, match[1], line)
				}
			}
		}
	}
	if shown < 10 {
		t.Errorf("only %d flags were found in the documents: this test looks in the wrong place", shown)
	}
}
