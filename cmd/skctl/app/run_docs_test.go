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

func runningPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docs", "running.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The table of flags has all of run's flags, with their shorthands and defaults, and no others.
func TestRunningPage_Flags(t *testing.T) {
	opts := runOptions{kube: newKubeFlags()}
	cmd := &cobra.Command{}
	opts.addFlags(cmd, "VERSION")
	kube := &cobra.Command{}
	addKubeFlags(kube, newKubeFlags())
	var want []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if kube.Flags().Lookup(f.Name) != nil {
			return
		}
		row := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			row += ", `-" + f.Shorthand + "`"
		}
		want = append(want, row+" | "+documentedDefault(f))
	})
	var got []string
	for _, match := range regexp.MustCompile("(?m)^\\| (`--[a-z-]+`(?:, `-[a-zA-Z]`)? \\| [^|]*) \\|").FindAllStringSubmatch(section(t, "## Flags"), -1) {
		got = append(got, match[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table of docs/running.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// documentedDefault returns how a flag's default is written in the table.
func documentedDefault(f *pflag.Flag) string {
	text := strings.Trim(f.DefValue, "[]")
	switch text {
	case "":
		return "-"
	case "false":
		return "no"
	}
	return "`" + text + "`"
}

// section returns a part of the page, from its heading to the next.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(runningPage(t), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("docs/running.md has no %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// The command lines of the page are valid.
func TestRunningPage_Commands(t *testing.T) {
	commands := 0
	for _, match := range regexp.MustCompile("(?m)^    skctl ([^#|>\n]*)").FindAllStringSubmatch(runningPage(t), -1) {
		for _, line := range strings.Split(match[1], "&& skctl ") {
			commands++
			args := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), "&&"))
			cmd, rest, err := newRoot(&program{name: "skctl"}).Find(args)
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if commands < 8 {
		t.Errorf("only %d commands were found: this test looks in the wrong place", commands)
	}
}
