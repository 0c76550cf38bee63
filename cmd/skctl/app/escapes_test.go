package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"simkube.io/simkube/internal/printable"
)

// evil holds what a terminal would interpret: a title, a colour, a C1 control, changes of the
// writing direction, and a delete.
const evil = "\x1b]0;title\a\x1b[31m\u009b31m\u202e\u2066\x7f\r\u2028end"

// raw returns the first character of an output that a terminal would interpret and that is not part
// of the layout.
func raw(text string) string {
	if !utf8.ValidString(text) {
		return "what is no UTF-8"
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}

// inJSON returns a text as it is in a JSON string.
func inJSON(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(printable.JSON(data)) // YAML allows control characters only as escapes
}

// evilFiles writes traces, programs and configurations that contain control characters.
func evilFiles(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	name := inJSON(t, "web"+evil)
	pod := func(image string) string {
		return `{"spec":{"serviceAccountName":` + name + `,"priorityClassName":` + name + `,"containers":[{"name":` + name + `,"image":` + inJSON(t, image+evil) +
			`,"envFrom":[{"configMapRef":{"name":` + name + `}}],"resources":{"requests":{"cpu":"1"}}}],"volumes":[{"name":` + name + `,"secret":{"secretName":` + name + `}}]}}`
	}
	events := func(image string) string {
		return `{"ts":1700000000,"applied_objs":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":` + name + `,"namespace":` + name +
			`,"annotations":{` + name + `:` + name + `}},"spec":{"replicas":2,` + name + `:1,"template":` + pod(image) + `},"status":{"replicas":1}},` +
			`{"apiVersion":"extensions/v1beta1","kind":` + inJSON(t, "Ingress"+evil) + `,"metadata":{"name":` + name + `},"spec":{}}]}` + "\n" +
			`{"ts":1700000060,"deleted_objs":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":` + name + `,"namespace":"other"}}]}` + "\n"
	}
	config := `{"trackedObjects":{"apps/v1.Deployment":{"podSpecTemplatePaths":[` + inJSON(t, "/spec/template") + `,` + inJSON(t, "/spec/"+evil) + `]},` + inJSON(t, "v1.Kind"+evil) + `:{}},` + inJSON(t, "odd"+evil) + `:1}`
	for file, text := range map[string]string{
		"a.jsonl": events("one"), "b.jsonl": events("two"), "config.json": config,
		"broken.jsonl": `{"ts":1,"applied_objs":[{"apiVersion":"v1","kind":` + name + `,"metadata":{"name":"a"},"spec":{` + name + `:1,` + name + `:2}}]}`,
		"key.jsonl":    `{"ts":1,` + name + `:1}`,
		"good.skel":    "# " + "comment\nmodify(kind == \"Deployment\", metadata.labels.x = \"" + strings.ReplaceAll(evil, "\r", "") + "\");\n",
		"bad.skel":     "delete(a == \"" + evil + "\" && b = 1);\n" + "frob" + evil + "(*);\n",
		"bytes.skel":   "delete(a == \"\xff\x9b31m\");\n",
		"hooks.yml":    "preRunHooks:\n- cmd: a\n  " + name + ": 1\n",
		"names.yml":    "preRunHooks:\n- apply: {manifests: " + inJSON(t, `{apiVersion: v1, kind: Node, metadata: {name: "a/\u001b[31m"}}`) + "}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, trace := range []string{"a", "b"} {
		if code, _, stderr := run(t, "trace", "from-json", filepath.Join(dir, trace+".jsonl"), "-o", filepath.Join(dir, trace+".sktrace")); code != exitDone {
			t.Fatalf("from-json: %s", stderr)
		}
	}
	return dir
}

// Commands that show what others have written replace control characters by escapes. Each must show
// an escape, because otherwise it would not be tested.
func TestEscapes(t *testing.T) {
	t.Chdir(evilFiles(t))
	for _, line := range []string{
		"trace info a.sktrace", "trace info a.sktrace -o json", "trace info a.sktrace -o yaml",
		"trace diff a.sktrace b.sktrace", "trace diff a.sktrace b.sktrace --stat", "trace diff a.sktrace b.sktrace -o json", "trace diff a.sktrace b.sktrace -o yaml",
		"trace hash --trace a.sktrace", "trace hash --trace a.sktrace -o json", "trace hash a.jsonl -c config.json",
		"trace from-json broken.jsonl -o x.sktrace", "trace from-json key.jsonl -o x.sktrace",
		"trace merge a.sktrace nowhere\x1b[31m -o m.sktrace", "trace slice nowhere\x1b[31m -o s.sktrace", "trace slice a.sktrace -o a\x1b[31m.sktrace",
		"validate a.sktrace --all", "validate a.sktrace -o json", "validate a.sktrace -o sarif",
		"transform a.sktrace good.skel --dry-run", "transform a.sktrace bad.skel --dry-run", "transform a.sktrace bytes.skel --dry-run",
		"transform a.sktrace good.skel --dry-run --summary json", "transform a.sktrace good.skel --dry-run --summary yaml",
		"skel check good.skel bad.skel bytes.skel", "skel fmt bad.skel",
		"xray a.sktrace", "xray a.sktrace --diff", "xray a.sktrace --selector a\x1b[31m",
		"simulate a.sktrace --skel bad.skel", "simulate nowhere\x1b[31m.sktrace",
		"tracer-rbac config.json", "run x --hooks hooks.yml --dry-run", "run x --hooks names.yml --dry-run", "run a\x1b[31m --dry-run",
		"run x --driver-secrets a\u202e --trace-path /a\x1b[31m --dry-run", "frob\x1b[31m", "get --kubeconfig nowhere\x1b[31m",
	} {
		t.Run(printable.Line(line), func(t *testing.T) {
			checkEscaped(t, strings.Fields(line)...)
		})
	}
}

// checkEscaped runs a command whose output must have escapes.
func checkEscaped(t *testing.T, args ...string) {
	t.Helper()
	_, stdout, stderr := run(t, args...)
	for stream, text := range map[string]string{"output": stdout, "error": stderr} {
		if bad := raw(text); bad != "" {
			t.Errorf("%q: there is %s in the standard %s %q", args, bad, stream, text)
		}
	}
	shown := func(escape string) bool { return strings.Contains(stdout+stderr, escape) }
	if !shown(`\x1b`) && !shown(`\u001b`) && !shown(`\xff`) && !shown(`\e[`) && !shown(`\u202e`) {
		t.Errorf("%q: there is no escape in the output %q and the errors %q", args, stdout, stderr)
	}
}

// A caret is below the right character if there are escapes before it.
func TestEscapes_Caret(t *testing.T) {
	file := writeFile(t, "bad.skel", "delete(a == \"\x1b[31m\u202e\x7f\" && b = 1);\n")
	_, _, stderr := run(t, "skel", "check", file)
	lines := strings.Split(stderr, "\n")
	for i, line := range lines {
		at := strings.IndexByte(line, '^')
		if at < 0 || strings.Trim(line, " |^") != "" {
			continue
		}
		if want := "= 1);"; !strings.HasPrefix(lines[i-1][at:], want) {
			t.Errorf("the caret is under %q, want %q:\n%s", lines[i-1][at:], want, stderr)
		}
		return
	}
	t.Errorf("there is no caret in %s", stderr)
}

// What a cluster returns is escaped as well.
func TestEscapes_Cluster(t *testing.T) {
	text := inJSON(t, "said"+evil)
	sim := simulated(t, "friday", `{"spec": {"driver": {"namespace": "sims", "tracePath": `+text+`}}, "status": {"state": "Failed",
		"driver": {"pod": `+text+`, "reason": `+text+`, "message": `+text+`, "summaries": [{"run": 1, "results": `+text+`}],
			"hooks": [{"phase": "PreRun", "index": 0, "state": "Failed", "message": `+text+`}]},
		"conditions": [{"type": "Failed", "status": "True", "reason": `+text+`, "message": `+text+`, "lastTransitionTime": "2025-03-01T12:30:00Z"}]}}`)
	server := newAPIServer(t)
	server.have(sim)
	server.handle("GET /api/v1/namespaces/sims/pods", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{
			map[string]any{"metadata": map[string]any{"name": "pod"}, "spec": map[string]any{"nodeName": "node"}},
		}})
	})
	server.handle("GET /api/v1/namespaces/sims/pods/pod/log", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "logged"+evil+"\xff\n") })
	for _, line := range []string{
		"get", "get friday", "get -o wide", "get friday -o wide", "get -o json", "get -o yaml", "get friday -o json", "get friday -o yaml", "logs friday", "wait friday",
		"get ../x\x1b[31m", "delete a%2fb\x1b[31m", "logs x/../\x1b[31m",
	} {
		checkEscaped(t, append(strings.Fields(line), "--kubeconfig", server.kubeconfig)...)
	}
}
