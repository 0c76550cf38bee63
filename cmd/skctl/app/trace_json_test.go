package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/traceinfo"
	"simkube.io/simkube/trace"
)

const smallEvents = `{"ts":1700000000,"applied_objs":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"500m","memory":"1Gi"}}}]}}}}]}
{"ts":1700000060,"deleted_objs":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"}}]}
`

// examplePath returns the path of one of the repository's traces.
func examplePath(name string) string { return filepath.Join(repository, "examples", name) }

// recordedTrace returns one of the recorded traces, and skips the test if there are none.
func recordedTrace(t *testing.T, name string) string {
	t.Helper()
	return prerequisite.Recording(t, name)
}

// writeFile writes a temporary file.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTrace_CatAndBack(t *testing.T) {
	for _, name := range []string{"day.sktrace", "first-steps.sktrace"} {
		t.Run(name, func(t *testing.T) {
			code, text, stderr := run(t, "trace", "cat", "--all", examplePath(name))
			if code != exitDone {
				t.Fatalf("cat: exit code %d: %s", code, stderr)
			}
			out := filepath.Join(t.TempDir(), "out.sktrace")
			if code, _, stderr := run(t, "trace", "from-json", writeFile(t, "a.jsonl", text), "-o", out); code != exitDone {
				t.Fatalf("from-json: exit code %d: %s", code, stderr)
			}
			tr, err := trace.ReadFile(examplePath(name))
			if err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			if err := tr.Write(&want); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want.Bytes()) {
				t.Error("the trace is another one after the round trip")
			}
		})
	}
}

func TestTrace_CatPrintsEvents(t *testing.T) {
	code, text, stderr := run(t, "trace", "cat", examplePath("first-steps.sktrace"))
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for line := range strings.Lines(text) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil || event["ts"] == nil || len(event) != 3 {
			t.Errorf("want an event, got %.200s (%v)", line, err)
		}
	}
}

func TestTrace_CatOfDamagedPrintsWhatThereIs(t *testing.T) {
	data, err := os.ReadFile(examplePath("first-steps.sktrace"))
	if err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, "cut.sktrace", string(data[:len(data)/2]))
	code, text, stderr := run(t, "trace", "cat", path)
	if code != exitFailed || !strings.HasPrefix(stderr, "skctl: "+path+": byte ") {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
	if !strings.HasPrefix(text, `{"ts":`) {
		t.Errorf("standard output is %.100q, want the events before the damage", text)
	}
}

func TestTrace_FromJSONMakesWhatIsNotThere(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.sktrace")
	code, _, stderr := run(t, "trace", "from-json", writeFile(t, "a.jsonl", smallEvents), "-o", out)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if want := "warning: " + noLifecycles + "\n" + out + ": 2 events with 2 objects; the config and the index were derived from the events\n"; stderr != want {
		t.Errorf("standard error is %q, want %q", stderr, want)
	}
	if _, err := trace.ReadFile(out); err != nil {
		t.Error(err)
	}
}

func TestTrace_FromJSONLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.sktrace")
	if err := os.WriteFile(out, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := writeFile(t, "a.jsonl", smallEvents+"{\"ts\": 1700000070, \"applied\": []}\n")
	code, _, stderr := run(t, "trace", "from-json", in, "-o", out)
	want := "skctl: " + in + ": line 3, column 20: applied: the key is none of ts, applied_objs, deleted_objs (an event), version, config, events, index, pod_lifecycles, x-simkube\n"
	if code != exitFailed || stderr != want {
		t.Errorf("exit code %d, standard error %q, want %q", code, stderr, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "before" {
		t.Errorf("the file that was there is now %q (%v)", text, err)
	}
}

func TestTrace_JSONWrongUsage(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"format of cat":  {[]string{"cat", "a", "-o", "xml"}, "skctl: invalid --output \"xml\": must be json or yaml\n  hint: see skctl trace cat --help\n"},
		"no output":      {[]string{"from-json", "a"}, "skctl: from-json: --output is required\n  hint: see skctl trace from-json --help\n"},
		"format of info": {[]string{"info", "a", "-o", "xml"}, "skctl: invalid --output \"xml\": must be text, json or yaml\n  hint: see skctl trace info --help\n"},
		"no trace":       {[]string{"info"}, "skctl: info: TRACE is missing\n  hint: see skctl trace info --help\n"},
		"nothing to hash": {
			[]string{"hash"}, "skctl: hash: must have files, - for the standard input, or --trace\n  hint: see skctl trace hash --help\n",
		},
		"two things to hash": {[]string{"hash", "a", "--trace", "b"}, "skctl: hash: files and --trace: only one of them can be used\n  hint: see skctl trace hash --help\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, append([]string{"trace"}, tc.args...)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code is %d, standard output %q", code, stdout)
			}
			if diff := cmp.Diff(tc.want, stderr); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrace_InfoText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "small.sktrace")
	if code, _, stderr := run(t, "trace", "from-json", writeFile(t, "a.jsonl", smallEvents), "-o", path); code != exitDone {
		t.Fatal(stderr)
	}
	code, text, stderr := run(t, "trace", "info", path)
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := path + `: 430 B

  version      2
  time         2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z, 1m0s
  events       2
  objects      1 object in 1 namespace; applied once, deleted once; manifests 233 B
  peak         2 pods at 2023-11-14T22:13:20Z
               1 core of CPU at 2023-11-14T22:13:20Z
               2.0 GiB of memory at 2023-11-14T22:13:20Z
               an upper estimate of simultaneous requests: templates x replicas until they are deleted
  lifecycles   none
  x-simkube    none
  checks       the index and the lifecycles agree with the events

  KIND                 OBJECTS   APPLIED   DELETED   MANIFESTS   TRACKED
  apps/v1.Deployment   1         1         1         233 B       yes

  NAMESPACE   OBJECTS
  shop        1
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTrace_InfoJSON(t *testing.T) {
	code, text, stderr := run(t, "trace", "info", "-o", "json", recordedTrace(t, "bare-pods.sktrace"))
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var got struct {
		Bytes int64 `json:"bytes"`
		traceinfo.Info
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	check := got.Checks.Index
	if got.Bytes != 5302 || got.Events != 4 || check.Differ != 4 || check.Extra != 12 || check.Missing != 0 || check.Entries != 16 {
		t.Errorf("got %s", text)
	}
}

func TestTrace_Hash(t *testing.T) {
	manifest := writeFile(t, "a.yaml", `# two documents
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:
    static.simkube.io/pod-spec-stable-hash: "14039014410052307797"
spec: {replicas: 3}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: x}}
`)
	code, text, stderr := run(t, "trace", "hash", manifest)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	// The first and the last are among the known answers of docs/trace-format.md.
	const want = `18136946324060502530  manifest  v1.Pod a
14039014410052307797  pod       v1.Pod a, equal to its annotation
13646096770106105413  manifest  v1.ConfigMap x/b
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTrace_HashTakesNoTrace(t *testing.T) {
	path := filepath.Join(repository, "examples", "first-steps.sktrace")
	code, _, stderr := run(t, "trace", "hash", path)
	if want := "\n  hint: a FILE must hold manifests; for the objects of a trace, use --trace " + path + "\n"; code != exitFailed || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit code %d, standard error\n%s\nwant %d, and at its end %q", code, stderr, exitFailed, want)
	}
}

func TestTrace_HashOfTrace(t *testing.T) {
	code, text, stderr := run(t, "trace", "hash", "--trace", recordedTrace(t, "bare-pods.sktrace"), "-o", "json")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if !strings.Contains(line, `"pods":[{"path":"","hash":"2151974655102796215","lifecycles":1}]`) {
			t.Errorf("got %s", line)
		}
	}
	if n != 4 {
		t.Errorf("got %d objects, want 4", n)
	}
}
