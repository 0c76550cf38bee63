package hooks

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/internal/action"
)

var refused = []struct{ name, text, want string }{
	{"unknown list", "runHooks: []\n", `f.yml:1: unknown field "runHooks"`},
	{"list twice", "preRunHooks: []\npreRunHooks: []\n", "f.yml:2: preRunHooks is set twice"},
	{"no list", "preRunHooks: {cmd: a}\n", "f.yml:1: preRunHooks: must be a list"},
	{"unknown field", "preRunHooks:\n- cmd: a\n- cmd: b\n  arg: [c]\n", `f.yml:3: preRunHooks[1]: unknown field "arg"`},
	{"wrong type", "preRunHooks:\n- cmd: a\n  args: [1]\n", "f.yml:2: preRunHooks[0]: args must be a string"},
	{"nothing", "postRunHooks:\n- ignoreFailure: true\n", "postRunHooks[0]: has no action: must have one of cmd, apply, waitForPods and deleteNodes"},
	{"two things", "postRunHooks:\n- cmd: a\n  apply: {manifests: b}\n", "postRunHooks[0]: has several actions"},
	{"args alone", "preStartHooks:\n- apply: {manifests: b}\n  args: [a]\n", "args are for cmd only"},
	{"sendSim alone", "preStartHooks:\n- apply: {manifests: b}\n  sendSim: true\n", "sendSim is for cmd only"},
	{"all nodes", "postStopHooks:\n- deleteNodes: {selector: {}}\n", "would delete every node"},
	{"all nodes, no selector", "postStopHooks:\n- deleteNodes: {}\n", "would delete every node"},
	{"state", "preRunHooks:\n- waitForPods: {for: Happy}\n", "must be Ready, Finished or Gone"},
	{"namespace", "preRunHooks:\n- waitForPods: {namespace: ..}\n", `f.yml:2: preRunHooks[0]: invalid waitForPods.namespace "..": a lowercase RFC 1123 label`},
	{"name", "preRunHooks:\n- cmd: a\n- apply: {manifests: '{apiVersion: v1, kind: Secret, metadata: {name: ..}}'}\n", `f.yml:3: preRunHooks[1]: apply.manifests, document 1: invalid metadata.name ".." of the Secret: may not be '..'`},
	{"name with slashes", "preRunHooks:\n- apply: {manifests: '{apiVersion: v1, kind: Secret, metadata: {name: ../../nodes/a}}'}\n", `invalid metadata.name "../../nodes/a" of the Secret: may not contain '/'`},
	{"name with escapes", "preRunHooks:\n- apply: {manifests: '{apiVersion: v1, kind: Secret, metadata: {name: a%2fb}}'}\n", `invalid metadata.name "a%2fb" of the Secret: may not contain '%'`},
	{"namespace of an object", "preRunHooks:\n- apply:\n    manifests: |\n      {apiVersion: v1, kind: Secret, metadata: {name: a}}\n      ---\n      {apiVersion: v1, kind: Secret, metadata: {name: a, namespace: ../x}}\n", `f.yml:2: preRunHooks[0]: apply.manifests, document 2: invalid metadata.namespace "../x" of the Secret`},
	{"name in a list", "preRunHooks:\n- apply: {manifests: '{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Node, metadata: {name: .}}]}'}\n", `invalid metadata.name "." of the Node`},
	{"timeout", "preRunHooks:\n- cmd: a\n  timeoutSeconds: 0\n", "at least 1"},
	{"documents", "preRunHooks: []\n---\npreRunHooks: []\n", "second document"},
	{"scalar", "hello\n", "f.yml:1: a file of hooks holds"},
	{"hook scalar", "preRunHooks: [hello]\n", "preRunHooks[0]: must be a mapping"},
}

func TestParse_Refuses(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f.yml", []byte(c.text))
			var place *FileError
			if !errors.As(err, &place) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in a FileError", err, c.want)
			}
		})
	}
}

func TestReadFiles(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for name, text := range map[string]string{"empty": "", "null": "# nothing\n", "nolist": "preRunHooks:\n"} {
		path := filepath.Join(dir, name)
		paths = append(paths, path)
		write(t, path, text)
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "preRunHooks: [{cmd: one, args: [x, 'y'], sendSim: true}]\n")
	write(t, b, "preRunHooks: [{cmd: two}]\npostStopHooks: [{deleteNodes: {selector: {matchLabels: {type: virtual}}}}]\n")
	got, err := ReadFiles(append(paths, a, b)...)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.PreRunHooks) != 2 || got.PreRunHooks[0].Cmd != "one" || len(got.PreRunHooks[0].Args) != 2 ||
		got.PreRunHooks[1].Cmd != "two" || len(got.PostStopHooks) != 1 || got.PreStartHooks != nil {
		t.Errorf("got %+v", got)
	}
	if _, err := ReadFiles(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range refused {
		f.Add([]byte(c.text))
	}
	f.Add([]byte("preRunHooks: &a [{cmd: x}]\npostRunHooks: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		hooks, err := Parse("f", data)
		if err != nil {
			return
		}
		for _, hook := range slices.Concat(hooks.PreStartHooks, hooks.PreRunHooks, hooks.PostRunHooks, hooks.PostStopHooks) {
			if _, err := action.New(hook); err != nil {
				t.Errorf("accepted an invalid hook: %v", err)
			}
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
