package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun_CompatibleSpelling runs commands as scripts for the existing tool call them.
func TestRun_CompatibleSpelling(t *testing.T) {
	_, want, _ := run(t, "version")
	code, got, stderr := run(t, "--version")
	if code != exitDone || got != want || stderr != "" {
		t.Errorf("--version: exit code %d, got %q and %q, want %q", code, got, stderr, want)
	}
	_, want, _ = run(t, "completions", "bash")
	if code, got, _ := run(t, "completion", "bash"); code != exitDone || got != want {
		t.Errorf("completion: exit code %d, and another script than completions", code)
	}
}

// TestRun_GenerateSKELWithoutValue checks where --generate-skel writes.
func TestRun_GenerateSKELWithoutValue(t *testing.T) {
	trace := filepath.Join(inFolder(t), "examples", "day.sktrace")
	for name, test := range map[string]struct {
		args    []string
		file    string // that is written
		problem string
	}{
		"at the end":            {[]string{"validate", trace, "--generate-skel"}, "day.skel", ""},
		"of check":              {[]string{"validate", "check", "--generate-skel", trace}, "day.skel", ""},
		"before another flag":   {[]string{"validate", "--generate-skel", "-o", "json", trace}, "day.skel", ""},
		"with a value":          {[]string{"validate", trace, "--generate-skel", "fix.skel"}, "fix.skel", ""},
		"with a value first":    {[]string{"validate", "--generate-skel", "fix.skel", trace}, "fix.skel", ""},
		"with an equals sign":   {[]string{"validate", "--generate-skel=fix.skel", trace}, "fix.skel", ""},
		"auto":                  {[]string{"validate", "--generate-skel=auto", trace}, "day.skel", ""},
		"too many arguments":    {[]string{"validate", "--generate-skel=fix.skel", trace, "x"}, "", "too many arguments"},
		"too many for no value": {[]string{"validate", trace, "x", "--generate-skel"}, "", "too many arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, _, stderr := run(t, test.args...)
			if test.problem != "" {
				if code != exitUsage || !strings.Contains(stderr, test.problem) {
					t.Errorf("exit code %d, standard error %q, want %q", code, stderr, test.problem)
				}
				return
			}
			text, err := os.ReadFile(test.file)
			if err != nil || !strings.Contains(string(text), "skctl validate for day.sktrace") {
				t.Errorf("%v, exit code %d, standard error %q; the program is %q", err, code, stderr, text)
			}
		})
	}
	if err := os.WriteFile("day.skel", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := run(t, "validate", trace, "--generate-skel")
	if code != exitUsage || !strings.Contains(stderr, "--generate-skel requires a value: its default, day.skel, exists") {
		t.Errorf("with a file: exit code %d, standard error %q", code, stderr)
	}
	_, stdout, _ := run(t, "validate", trace, "--generate-skel", "-")
	if !strings.HasPrefix(stdout, "# Suggestions of skctl validate") {
		t.Errorf("with -: got %.100q", stdout)
	}
}
