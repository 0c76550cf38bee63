package xray

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const before = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    spec:
      containers:
      - name: web
        env:
        - name: A
          value: a
        image: web:1
        resources:
          limits:
            memory: 1Gi`

func diffText(lines []diffLine) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(string(l.op) + " " + l.text + "\n")
	}
	return b.String()
}

func TestOnlyChanges(t *testing.T) {
	after := strings.NewReplacer("replicas: 3", "replicas: 5", "web:1", "web:2").Replace(before)
	lines := compare(strings.Split(before, "\n"), strings.Split(after, "\n"))
	want := `@ spec
  metadata:
    name: web
  spec:
-   replicas: 3
+   replicas: 5
    selector:
      matchLabels:
        app: web
@ spec.template.spec.containers
          - name: A
            value: a
-         image: web:1
+         image: web:2
          resources:
            limits:
              memory: 1Gi
`
	if diff := cmp.Diff(strings.ReplaceAll(want, "\n          - name: A", "\n          env:\n          - name: A"), diffText(onlyChanges(lines))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if added, removed := changedLines(lines); added != 2 || removed != 2 {
		t.Errorf("+%d -%d, want +2 -2", added, removed)
	}
}

func TestCompare(t *testing.T) {
	for name, tc := range map[string]struct{ before, after, want string }{
		"same":       {"a\nb", "a\nb", "  a\n  b\n"},
		"added":      {"a", "a\nb", "  a\n+ b\n"},
		"removed":    {"a\nb\nc", "a\nc", "  a\n- b\n  c\n"},
		"all":        {"a", "b", "- a\n+ b\n"},
		"from empty": {"", "b", "- \n+ b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := diffText(compare(strings.Split(tc.before, "\n"), strings.Split(tc.after, "\n")))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzCompare checks that the lines of a comparison are those of both versions.
func FuzzCompare(f *testing.F) {
	f.Add("a\nb\nc", "a\nc\nd")
	f.Add(before, strings.ReplaceAll(before, "web", "x"))
	f.Fuzz(func(t *testing.T, before, after string) {
		var old, now []string
		lines := compare(strings.Split(before, "\n"), strings.Split(after, "\n"))
		for _, l := range lines {
			if l.op != '+' {
				old = append(old, l.text)
			}
			if l.op != '-' {
				now = append(now, l.text)
			}
		}
		if got := strings.Join(old, "\n"); got != before {
			t.Errorf("the version before is %q, want %q", got, before)
		}
		if got := strings.Join(now, "\n"); got != after {
			t.Errorf("the version after is %q, want %q", got, after)
		}
		onlyChanges(lines)
	})
}
