// Package programtest holds the pages on programs against the programs.
package programtest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Flags holds the table of flags in the section "Flags" of a page against those there are: names,
// shorthands and defaults.
func Flags(t *testing.T, page string, flags *pflag.FlagSet) {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## Flags\n")
	section, _, _ = strings.Cut(section, "\n## ")

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
