package skel_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

// TestConformance runs the scripts in testdata/conformance, each in memory and on files, with one
// worker and with several.
func TestConformance(t *testing.T) {
	cases := conformanceCases(t)
	if got, want := len(cases), 250; got < want {
		t.Errorf("cases: got %d, want at least %d", got, want)
	}
	for _, c := range cases {
		t.Run(c.place+" "+c.name, func(t *testing.T) { testCase(t, &c) })
	}
}

// testCase runs one case in all modes and checks the outcomes.
func testCase(t *testing.T, c *scriptCase) {
	in, err := c.input.trace()
	if err != nil {
		t.Fatal(err)
	}
	before, err := describe(in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "in.sktrace")
	if err := in.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	first := runInMemory(t, c.program, in, 1)
	checkCase(t, c, &first)
	for name, other := range map[string]result{
		"in memory, in parallel": runInMemory(t, c.program, in, 3),
		"by files":               runFile(t, c.program, path, 1),
		"by files, in parallel":  runFile(t, c.program, path, 4),
	} {
		// Errors contain the name of the file, if there is one.
		got := strings.ReplaceAll(outcome(&other), path+": ", "")
		if diff := cmp.Diff(outcome(&first), got); diff != "" {
			t.Errorf("%s it is something else (-in memory +%s):\n%s", name, name, diff)
		}
	}
	after, err := describe(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the input was changed (-before +after):\n%s", diff)
	}
}

// outcome returns a result as text, for comparison.
func outcome(r *result) string {
	if r.err != nil {
		return "error: " + r.err.Error()
	}
	return strings.Join(append(counts(r), r.text), "\n")
}

// counts returns the counts of each command in the notation of the scripts.
func counts(r *result) []string {
	lines := []string{}
	for _, c := range r.summary.Commands {
		lines = append(lines, fmt.Sprintf("%d %d %d %d", c.Events, c.Objects, c.Fields, c.Deleted))
	}
	return lines
}

func checkCase(t *testing.T, c *scriptCase, got *result) {
	t.Helper()
	if c.failure != nil {
		checkFailure(t, c, got.err)
		return
	}
	if got.err != nil {
		t.Fatalf("error: got %v, want none; the program is\n%s", got.err, c.program)
	}
	if c.holds != nil {
		if got, want := lastHolds(got.text), *c.holds; got != want {
			t.Errorf("holds: got %t, want %t", got, want)
		}
		return
	}
	if c.want.lifecycles == nil {
		c.want.lifecycles = c.input.lifecycles
	}
	if c.want.pods == nil {
		c.want.pods = c.input.pods
	}
	want, err := c.want.trace()
	if err != nil {
		t.Fatal(err)
	}
	wantText, err := describe(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantText, got.text); diff != "" {
		t.Errorf("result (-want +got):\n%s\nThe program is\n%s", diff, c.program)
	}
	if c.counts != nil {
		if diff := cmp.Diff(c.counts, counts(got)); diff != "" {
			t.Errorf("counts of the commands (-want +got):\n%s", diff)
		}
	}
}

var lineAndColumn = regexp.MustCompile(`^\d+:\d*$`)

// checkFailure checks that an error contains the expected parts. A position must not match the
// start of a longer number; the case of words is ignored.
func checkFailure(t *testing.T, c *scriptCase, err error) {
	t.Helper()
	if err == nil {
		t.Fatalf("error: got none, want one with %q; the program is\n%s", c.failure, c.program)
	}
	text := err.Error()
	for _, part := range c.failure {
		pattern := "(?i)" + regexp.QuoteMeta(part)
		if lineAndColumn.MatchString(part) {
			pattern = `(^|[^0-9:])` + regexp.QuoteMeta(part)
			if !strings.HasSuffix(part, ":") {
				pattern += `($|[^0-9])`
			}
		}
		if !regexp.MustCompile(`(?m)` + pattern).MatchString(text) {
			t.Errorf("error: got\n%s\nwant %q in it", text, part)
		}
	}
}

// lastHolds reports whether the last object of a described trace has the mark that tables of
// selectors set.
func lastHolds(text string) bool {
	last := ""
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "+ ") {
			last = line
		}
	}
	return strings.Contains(last, `"holds": true`)
}

// TestConformance_Scripts checks that mistakes in scripts are found.
func TestConformance_Scripts(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"no input", "--- x\nprogram: delete(*);\noutput: none\n", "no input"},
		{"nothing to expect", "--- x\nprogram: delete(*);\ninput:\n  @5\n", "neither output nor error"},
		{"an unknown section", "--- x\nprograms: delete(*);\n", `"programs" is not known`},
		{"text outside sections", "--- x\ndelete(*);\n", "want a title"},
		{"an object without an event", "--- x\ninput:\n  + v1.Pod n/p\n", "before any event"},
		{"an object that is none", "--- x\ninput:\n  @5\n  + {a: 1}\n", "apiVersion"},
		{"an error without a place", "--- x\nerrors:\n  delete(*);\n", "want LINE:COLUMN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseScript("x.skelt", test.script, 0)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error: got %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestConformance_Describe checks that describe distinguishes everything that the language
// distinguishes.
func TestConformance_Describe(t *testing.T) {
	texts := map[string]string{}
	for _, object := range []string{"a: 1", "a: 1.0", "a: '1'", "a: true", "a: null", "a: [1]", "a: {b: 1}", "a: 1.5", "{}"} {
		world, err := parseWorld(&section{body: []string{"@1", "+ v1.Pod n/p {" + strings.Trim(object, "{}") + "}"}}, nil)
		if object == "a: {b: 1}" {
			world, err = parseWorld(&section{body: []string{"@1", "+ v1.Pod n/p {a: {b: 1}}"}}, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		in, err := world.trace()
		if err != nil {
			t.Fatal(err)
		}
		text, err := describe(&trace.Trace{Events: in.Events})
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := texts[text]; ok {
			t.Errorf("%q and %q: got the same text %s", object, other, text)
		}
		texts[text] = object
	}
}
