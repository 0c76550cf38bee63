package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/bigtrace"
	"simkube.io/simkube/internal/xray"
)

var firstSteps = filepath.Join(repository, "examples", "first-steps.sktrace")

func TestXray_Prints(t *testing.T) {
	code, stdout, stderr := run(t, "xray", firstSteps, "--kind", "Deployment", "--selector", "spec.replicas > 3", "--to", "+1m")
	want := "2026-03-10T09:00:30Z  +00:00:30  event 2: 1 applied, 0 deleted\n  ~ changed   apps/v1.Deployment demo/web\n"
	if diff := cmp.Diff(want, stdout); diff != "" || code != exitDone || stderr != "" {
		t.Errorf("exit %d, stderr %q, stdout (-want +got):\n%s", code, stderr, diff)
	}
}

func TestXray_Errors(t *testing.T) {
	whole, err := os.ReadFile(firstSteps)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.sktrace")
	if err := os.WriteFile(damaged, whole[:1000], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no trace":    {[]string{"xray"}, exitUsage, "skctl: xray: TRACE is missing\n  hint: see skctl xray --help\n"},
		"a bad time":  {[]string{"xray", firstSteps, "--from", "noon"}, exitUsage, "skctl: invalid --from \"noon\": must be like 10:30, +2h, -5m, 2024-01-01T10:30:00Z, 1704105000\n"},
		"not there":   {[]string{"xray", "nowhere.sktrace"}, exitFailed, "nowhere.sktrace: no such file or directory\n"},
		"damaged":     {[]string{"xray", damaged}, exitFailed, "skctl: " + damaged + ": byte 1000: events[0]."},
		"no selector": {[]string{"xray", firstSteps, "--selector", "spec.replicas >"}, exitUsage, "skctl: 1:16: "},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := run(t, tc.args...)
			if code != tc.code || !strings.Contains(stderr, tc.want) {
				t.Errorf("exit %d, want %d; stderr %q, want %q", code, tc.code, stderr, tc.want)
			}
		})
	}
}

func TestXray_Check(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.sktrace")
	if err := bigtrace.Write(path, bigtrace.Options{Events: 300}); err != nil {
		t.Fatal(err)
	}
	var found []xray.Finding
	if err := checkTrace(path)(t.Context(), func(f xray.Finding) { found = append(found, f) }); err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Code == "" || f.Message == "" || f.Help == "" || f.Severity == xray.SeverityNone || f.Object.Name == "" {
			t.Errorf("a finding lacks something: %+v", f)
		}
	}
	if len(found) == 0 {
		t.Error("nothing is found")
	}
}

// The flags in docs/xray.md exist.
func TestXray_Docs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs", "xray.md"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := newXray(&program{name: "skctl"})
	shown := map[string]bool{}
	for _, match := range flagName.FindAllStringSubmatch(string(text), -1) {
		shown[match[1]] = true
		if cmd.Flags().Lookup(match[1]) == nil {
			t.Errorf("docs/xray.md shows --%s, which xray has not", match[1])
		}
	}
	if len(shown) != 9 {
		t.Errorf("docs/xray.md shows %d flags", len(shown))
	}
}
