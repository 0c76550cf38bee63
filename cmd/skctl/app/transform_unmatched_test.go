package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun_TransformWithoutEffect(t *testing.T) {
	trace := filepath.Join(inFolder(t), "examples", "first-steps.sktrace")
	const program = `remove(metadata.labels); delete(kind == "Deploymnet");`
	const want = `line 1 changes nothing: delete(kind == "Deploymnet") (no object has the kind "Deploymnet": did you mean "Deployment"?)` + "\n"
	code, _, stderr := run(t, "transform", trace, "-e", program, "-o", "a.sktrace")
	if code != exitDone || !strings.Contains(stderr, "warning: "+want) || strings.Count(stderr, "changes nothing") != 1 {
		t.Errorf("exit code %d, standard error %q, want a warning", code, stderr)
	}
	if _, err := os.Stat("a.sktrace"); err != nil {
		t.Error(err)
	}
	code, _, stderr = run(t, "transform", trace, "-e", program, "-o", "b.sktrace", "--strict")
	if code != exitFailed || !strings.Contains(stderr, want) || strings.Contains(stderr, "warning") {
		t.Errorf("--strict: exit code %d, standard error %q, want an error", code, stderr)
	}
	if _, err := os.Stat("b.sktrace"); err == nil {
		t.Error("--strict: the output was written")
	}
	code, _, stderr = run(t, "transform", trace, "-e", `remove(metadata.labels);`, "-o", "b.sktrace", "--strict")
	if code != exitDone || strings.Contains(stderr, "changes nothing") {
		t.Errorf("with an effect: exit code %d, standard error %q", code, stderr)
	}
}

func TestRun_SkelCheckWarns(t *testing.T) {
	file := writeFile(t, "a.skel", `modify(data.a = "x\ny");`)
	code, _, stderr := run(t, "skel", "check", file)
	want := file + `:1:19: warning: \n is a line break here, but a backslash and an n for programs without escapes in strings` + "\n"
	if code != exitDone || !strings.HasPrefix(stderr, want) {
		t.Errorf("exit code %d, standard error %q, want %q", code, stderr, want)
	}
}
