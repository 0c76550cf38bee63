package chart

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the table of values into the README, and copy the chart's files")

func printed(o object) string { return fmt.Sprint(o) }

// The README lists every value of values.yaml, with its default and its comment.
func TestChart_Readme(t *testing.T) {
	const begin, end = "<!-- values: made by make chart -->\n", "<!-- end -->"
	text, err := os.ReadFile(chartDir + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the README has no place for the values")
	}
	want := table(t)
	if *update {
		if err := os.WriteFile(chartDir+"/README.md", []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-values.yaml +README; make chart updates them):\n%s", diff)
	}
}

// table returns the table of values. A comment "# -- text" describes the next key.
func table(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(chartDir + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values object
	if err := yaml.UnmarshalStrict(text, &values); err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^( *)([A-Za-z]+):`)
	var out strings.Builder
	out.WriteString("| value | default | what it is |\n| --- | --- | --- |\n")
	var at []string
	var comment string
	described := 0
	for line := range strings.Lines(string(text)) {
		if c, is := strings.CutPrefix(strings.TrimSpace(line), "# -- "); is {
			comment = c
			continue
		}
		match := key.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		depth := len(match[1]) / 2
		if depth > len(at) {
			continue // part of a value that is described as a whole
		}
		at = append(at[:depth], match[2])
		if comment == "" {
			continue
		}
		value, err := yaml.Marshal(lookUp(values, at))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "| `%s` | `%s` | %s |\n", strings.Join(at, "."), inline(value), comment)
		described++
		at, comment = at[:depth], ""
	}
	if described < 30 {
		t.Fatalf("only %d values were found: this test looks in the wrong place", described)
	}
	return out.String()
}

func lookUp(values object, path []string) any {
	var value any = values
	for _, key := range path {
		value = value.(object)[key]
	}
	return value
}

// inline returns a YAML value on one line, as JSON unless it is plain.
func inline(text []byte) string {
	text = bytes.TrimSpace(text)
	if (bytes.ContainsAny(text, "\n:") || bytes.HasPrefix(text, []byte("- "))) && !bytes.HasPrefix(text, []byte(`"`)) {
		if json, err := yaml.YAMLToJSON(text); err == nil {
			return string(json)
		}
	}
	return string(text)
}

// The chart's copies are equal to the files in config.
func TestChart_Files(t *testing.T) {
	want := map[string]string{}
	for pattern, to := range map[string]string{
		"../../config/crd/simkube.io_*.yaml": "crd", "../../config/kwok/[np]*-*.yaml": "kwok", simDir + "/kwok/kwok.yaml": "kwok",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got %q and error %v", pattern, found, err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want[to+"/"+filepath.Base(file)] = string(text)
		}
	}
	if *update {
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(chartDir, "files", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]string{}
	found, err := filepath.Glob(chartDir + "/files/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-config +chart; make chart updates them):\n%s", diff)
	}
}
