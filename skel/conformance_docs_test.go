package skel_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/skel"
	"simkube.io/simkube/trace"
)

// block is a fenced code block of a page.
type block struct {
	line                int
	heading, info, text string
}

// pageBlocks returns the fenced code blocks of a page in docs, each with the last heading before
// it.
func pageBlocks(t *testing.T, page string) []block {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var (
		blocks  []block
		heading string
		open    *block
	)
	for i, line := range strings.SplitAfter(string(raw), "\n") {
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		title, isTitle := strings.CutPrefix(line, "## ")
		switch {
		case fence && open == nil:
			open = &block{line: i + 1, heading: heading, info: info}
		case fence:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += line
		case isTitle:
			heading = strings.TrimSpace(title)
		}
	}
	return blocks
}

// TestDocs_Language runs the examples of docs/skel.md. A program that is followed by a text block
// must not compile; the text is the expected error.
func TestDocs_Language(t *testing.T) {
	blocks := pageBlocks(t, "skel.md")
	if got, want := len(blocks), 10; got < want {
		t.Fatalf("examples: got %d, want at least %d", got, want)
	}
	for i, b := range blocks {
		switch b.info {
		case "skelt":
			cases, err := parseScript("skel.md", b.text, b.line)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range cases {
				t.Run(c.place+" "+c.name, func(t *testing.T) { testCase(t, &c) })
			}
		case "skel":
			want := ""
			if i+1 < len(blocks) && blocks[i+1].info == "text" {
				want = blocks[i+1].text
			}
			got := ""
			if _, err := skel.Compile(b.text); err != nil {
				got = strings.TrimRight(err.Error(), "\n") + "\n"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("skel.md:%d: error (-want +got):\n%s", b.line, diff)
			}
		case "text":
		default:
			t.Errorf("skel.md:%d: want a block of skel, skelt or text, got %q", b.line, b.info)
		}
	}
}

// TestDocs_Cookbook runs each recipe on the example trace of a day, and checks what the page says
// about it.
func TestDocs_Cookbook(t *testing.T) {
	in, err := trace.ReadFile(filepath.Join("..", "examples", "day.sktrace"))
	if err != nil {
		t.Fatal(err)
	}
	before := collectDay(t, in)
	checks := recipeChecks()
	for _, b := range pageBlocks(t, "skel-cookbook.md") {
		t.Run(b.heading, func(t *testing.T) {
			check := checks[b.heading]
			delete(checks, b.heading)
			if check == nil {
				t.Fatalf("skel-cookbook.md:%d: got a recipe without a check", b.line)
			}
			program, err := skel.Compile(b.text)
			if err != nil {
				t.Fatalf("skel-cookbook.md:%d: %v", b.line, err)
			}
			out, _, err := program.RunTrace(t.Context(), in, skel.RunOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(indexOf(out), out.Index); diff != "" {
				t.Errorf("index (-that of the manifests +got):\n%s", diff)
			}
			check(t, before, collectDay(t, out))
		})
	}
	for heading := range checks {
		t.Errorf("recipe %q: got none, want one for the check", heading)
	}
}

// TestDocs_Sanitize runs the programs in examples/skel on objects to which each of them applies.
// The example trace of a day has no such objects.
func TestDocs_Sanitize(t *testing.T) {
	const spec = `
  serviceAccount: a
  serviceAccountName: a
  volumes: [{name: s, secret: {secretName: x}}, {name: c, configMap: {name: y}}, {name: d, emptyDir: {}}]
  containers:
  - name: one
    env: [{name: A, valueFrom: {secretKeyRef: {name: x, key: k}}}, {name: B, valueFrom: {configMapKeyRef: {name: y, key: k}}}, {name: C, value: "1"}]
    envFrom: [{secretRef: {name: x}}, {configMapRef: {name: y}}]
    volumeMounts: [{name: s, mountPath: /s}, {name: c, mountPath: /c}, {name: d, mountPath: /d}]
  - name: two
    volumeMounts: [{name: c, mountPath: /c}]
`
	const clean = `
  volumes: [{name: d, emptyDir: {}}]
  containers:
  - {name: one, env: [{name: C, value: "1"}], volumeMounts: [{name: d, mountPath: /d}]}
  - {name: two, volumeMounts: []}
`
	for _, test := range []struct {
		file, object string
		path         []string
		commands     int
	}{
		{"sanitize.skel", "apps/v1.Deployment n/o", []string{"spec", "template", "spec"}, 10},
		{"sanitize-pods.skel", "v1.Pod n/o", []string{"spec"}, 10},
		{"sanitize-cronjobs.skel", "batch/v1.CronJob n/o", []string{"spec", "jobTemplate", "spec", "template", "spec"}, 10},
	} {
		t.Run(test.file, func(t *testing.T) {
			path := filepath.Join("..", "examples", "skel", test.file)
			program, err := skel.CompileFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(program.Commands()); got != test.commands {
				t.Errorf("commands: got %d, want %d", got, test.commands)
			}
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := scriptCase{program: string(source)}
			for target, text := range map[**world]string{&c.input: spec + "\nstatus: {a: 1}", &c.want: clean} {
				if *target, err = parseWorld(&section{body: nested(test.object, test.path, text)}, nil); err != nil {
					t.Fatal(err)
				}
			}
			testCase(t, &c)
		})
	}
	recipe := pageBlocks(t, "skel-cookbook.md")[0].text
	file, err := os.ReadFile(filepath.Join("..", "examples", "skel", "sanitize.skel"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(file), recipe); diff != "" {
		t.Errorf("the recipe is not the file (-file +recipe):\n%s", diff)
	}
}

// nested returns an object with text as its pod spec, under a path of keys. Lines of the text that
// are not indented are placed at the top level.
func nested(object string, path []string, text string) []string {
	lines := []string{"@1000", "+ " + object}
	indent := "    "
	for _, key := range path {
		lines = append(lines, indent+key+":")
		indent += "  "
	}
	for _, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		switch rest, deeper := strings.CutPrefix(line, "  "); {
		case deeper:
			lines = append(lines, indent+rest)
		case line != "":
			lines = append(lines, "    "+line)
		}
	}
	return lines
}
