package app

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/validate"
	"simkube.io/simkube/trace"
)

// writeFaulty writes a trace with an error, which is a missing priority class, and two infos.
func writeFaulty(t *testing.T) string {
	t.Helper()
	obj, err := trace.NewObject(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "shop", "name": "web"},
		"spec":   map[string]any{"template": map[string]any{"spec": map[string]any{"serviceAccountName": "robot", "priorityClassName": "high"}}},
		"status": map[string]any{"replicas": int64(1)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	tr := trace.Trace{
		Config: trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{{Group: "apps", Version: "v1", Kind: "Deployment"}: {}}},
		Events: []trace.Event{{Time: 1_700_000_000, Applied: []trace.Object{obj}}},
		Index:  trace.Index{},
	}
	tr.Index.Record(&tr.Events[0])
	path := filepath.Join(t.TempDir(), "faulty.sktrace")
	if err := tr.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun_Validate(t *testing.T) {
	faulty := writeFaulty(t)
	for name, tc := range map[string]struct {
		args   []string
		code   int
		stdout string // a part
		stderr string // the beginning
	}{
		"nothing":     {[]string{"validate", exampleTrace}, exitDone, "0 errors, 0 warnings in 8 events with 6 manifests\n", ""},
		"alias":       {[]string{"val", "check", exampleTrace}, exitDone, "0 errors", ""},
		"an error":    {[]string{"validate", faulty}, exitFailed, "  apps/v1.Deployment shop/web\n    spec.template.spec.priorityClassName: priority class \"high\"", "skctl: " + faulty + ": found an error\n  hint: to explain them, run skctl validate explain"},
		"infos":       {[]string{"validate", faulty, "--ignore", "priority_class_missing"}, exitDone, "0 errors, 0 warnings, 2 infos in 1 event with 1 manifest\n", ""},
		"shared":      {[]string{"validate", faulty, "--ignore", "E0102", "--shared"}, exitFailed, "1 error, 0 warnings, 1 info in 1 event with 1 manifest\n", "skctl: "},
		"all ignored": {[]string{"validate", "check", faulty, "--ignore", "E0001,E0102,W0000", "--node-shape", "cpu=4"}, exitDone, "0 errors, 0 warnings in 1 event with 1 manifest\n", ""},
		"json":        {[]string{"validate", faulty, "-o", "json"}, exitFailed, `"code": "E0001"`, "skctl: "},
		"sarif":       {[]string{"validate", faulty, "-o", "sarif"}, exitFailed, `"ruleId": "E0001"`, "skctl: "},
		"a program":   {[]string{"validate", faulty, "--generate-skel", "-"}, exitFailed, "# Suggestions of skctl validate for faulty.sktrace.\n", "info E0001"},
		"no file":     {[]string{"validate", faulty + "x"}, exitFailed, "", "skctl: open "},
		"no trace":    {[]string{"validate", "validate_test.go"}, exitFailed, "", "skctl: validate validate_test.go: byte 0: "},
		"explain":     {[]string{"validate", "explain", "w0000"}, exitDone, "W0000 status_field_populated (info)\n\nAn object has a status.\n\n", ""},
		"list":        {[]string{"validate", "print", "-f", "list"}, exitDone, "E0001 service_account_missing\n", ""},
		"table":       {[]string{"validate", "print"}, exitDone, "CODE    NAME ", ""},
		"rules json":  {[]string{"validate", "print", "-f", "json"}, exitDone, `"code": "E0001"`, ""},
		"rules yaml":  {[]string{"validate", "print", "-f", "yaml"}, exitDone, "- code: E0001\n", ""},
		"wrong flags": {
			[]string{"validate", faulty, "-o", "xml", "--ignore", "E9", "--known-api", "a/b/c", "--node-shape", "x"},
			exitUsage, "",
			"skctl: invalid --output \"xml\": must be text, json or sarif\nskctl: invalid --ignore \"E9\": must be the name of a rule, or one of E0001, ",
		},
		"both to standard output": {[]string{"validate", faulty, "-o", "json", "--generate-skel", "-"}, exitUsage, "", "skctl: --generate-skel - and --output json: "},
		"unknown code":            {[]string{"validate", "explain", "E9"}, exitUsage, "", "skctl: \"E9\": must be the name of a rule"},
		"unknown format":          {[]string{"validate", "print", "-f", "xml"}, exitUsage, "", "skctl: invalid --format \"xml\": must be list, table, json or yaml"},
		"no trace given":          {[]string{"validate"}, exitUsage, "", "skctl: validate: TRACE is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, tc.args...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || tc.stdout == "" && stdout != "" {
				t.Errorf("exit code is %d, want %d; standard output is\n%s\nwant in it\n%s", code, tc.code, stdout, tc.stdout)
			}
			if !strings.HasPrefix(stderr, tc.stderr) || tc.stderr == "" && stderr != "" {
				t.Errorf("standard error is\n%s\nwant\n%s", stderr, tc.stderr)
			}
		})
	}
}

// The commands in the help fix the trace, and leave alone what is only info.
func TestRun_Validate_Mend(t *testing.T) {
	faulty := writeFaulty(t)
	program, mended := filepath.Join(t.TempDir(), "fix.skel"), filepath.Join(t.TempDir(), "fixed.sktrace")
	if code, _, stderr := run(t, "validate", faulty, "--generate-skel", program); code != exitFailed {
		t.Fatalf("exit code is %d, standard error\n%s", code, stderr)
	}
	if code, _, stderr := run(t, "transform", faulty, program, "-o", mended); code != exitDone {
		t.Fatalf("exit code is %d, standard error\n%s", code, stderr)
	}
	code, stdout, stderr := run(t, "validate", mended, "-o", "json")
	var report struct {
		Errors, Warnings, Infos int
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if code != exitDone || report.Errors+report.Warnings != 0 || report.Infos != 2 {
		t.Errorf("exit code is %d, standard output\n%s\nstandard error\n%s", code, stdout, stderr)
	}
}

// The document describes all rules.
func TestDocs_Validation(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "docs", "validation.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range validate.Rules() {
		section := "### " + rule.Code + " " + rule.Name + "\n\n" + string(rule.Severity) + ". " + rule.Title + "\n\n" + rule.Help + "\n"
		if !strings.Contains(string(text), section) {
			t.Errorf("docs/validation.md lacks, or has a different text:\n%s", section)
		}
	}
	if got, want := strings.Count(string(text), "\n### "), len(validate.Rules()); got != want {
		t.Errorf("docs/validation.md has %d rules, want %d", got, want)
	}
	for _, flag := range flagName.FindAllStringSubmatch(string(text), -1) {
		cmd := newValidate(&program{})
		if cmd.Flags().Lookup(flag[1]) == nil && flag[1] != "crds" {
			t.Errorf("docs/validation.md shows --%s, which validate does not have", flag[1])
		}
	}
}
