package app

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestDocs_Flags holds the table of README.md against the flags there are: names, shorthands and defaults.
func TestDocs_Flags(t *testing.T) {
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## Flags\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var opts options
	flags := pflag.NewFlagSet("sk-ctrl", pflag.ContinueOnError)
	opts.addFlags(flags)

	described := map[string]bool{}
	code := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], "`-") {
			continue
		}
		var names, shorthands []string
		for _, match := range code.FindAllStringSubmatch(cells[1], -1) {
			if name, ok := strings.CutPrefix(match[1], "--"); ok {
				names = append(names, name)
			} else {
				shorthands = append(shorthands, strings.TrimPrefix(match[1], "-"))
			}
		}
		for _, name := range names {
			described[name] = true
			flag := flags.Lookup(name)
			if flag == nil {
				t.Errorf("--%s is described, and there is no such flag", name)
				continue
			}
			if got := strings.Join(shorthands, ""); got != flag.Shorthand {
				t.Errorf("--%s: the shorthand is -%s, described is -%s", name, flag.Shorthand, got)
			}
			if got, want := strings.Trim(strings.TrimSpace(cells[2]), "`"), strings.Trim(flag.DefValue, "[]"); isCode(cells[2]) && got != want || !isCode(cells[2]) && want != "" {
				t.Errorf("--%s: the default is %q, described is %q", name, want, got)
			}
		}
	}
	flags.VisitAll(func(flag *pflag.Flag) {
		if !described[flag.Name] {
			t.Errorf("--%s is not described", flag.Name)
		}
	})
}

// isCode says whether a cell is one piece of code, rather than words.
func isCode(cell string) bool {
	cell = strings.TrimSpace(cell)
	return len(cell) > 1 && cell[0] == '`' && strings.Count(cell, "`") == 2 && cell[len(cell)-1] == '`'
}
