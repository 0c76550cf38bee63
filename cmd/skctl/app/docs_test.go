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

func docs(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(found, filepath.Join(repository, "README.md"))
}

var (
	link    = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]+))?\)`)
	code    = regexp.MustCompile("`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// Links in documents to files of the repository, and to headings in them, are not dead.
func TestDocs_Links(t *testing.T) {
	for _, path := range docs(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			target, fragment := match[1], match[2]
			if strings.Contains(target, "://") {
				continue
			}
			file := path
			if target != "" {
				file = filepath.Join(filepath.Dir(path), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s points to %s: %v", path, target, err)
			} else if fragment != "" && !slices.Contains(anchors(t, file), fragment) {
				t.Errorf("%s points to #%s of %s, which has no such heading", path, fragment, file)
			}
		}
	}
}

// anchors returns the anchors of a document's headings: the heading in lower case, with dashes for
// spaces and without punctuation.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range heading.FindAllStringSubmatch(string(text), -1) {
		found = append(found, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return found
}

var (
	ourLine  = regexp.MustCompile(`(?m)^.*(?:skctl (?:xray|simulate|sim|cluster|nodes|crd|trace|transform|skel|export|completions|validate|val|version)|^\| .*--).*$`)
	flagName = regexp.MustCompile(`--([a-z][a-z-]+)`)
)

// The flags in the documents for users exist.
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
		"docs/validation.md", "docs/xray.md", "docs/instance-types.md", "examples/README.md",
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
