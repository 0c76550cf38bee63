package skel_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/skel"
)

func TestCompileSelector(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"kind = \"Pod\"", "a test compares with `==`"},
		{"delete(*);", "1:"},
		{"$x.a == 1", "$x"},
		{"kind == \"Pod\" kind == \"Job\"", "1:15"},
	} {
		t.Run(test.source, func(t *testing.T) {
			_, err := skel.CompileSelector(test.source)
			var wrong *skel.Error
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error: got %v, want an Error with %q", err, test.want)
			}
		})
	}
}

func TestSelector_Matcher(t *testing.T) {
	in := parseTrace(t, `
@1000
+ v1.Pod n/a {spec: {cpu: 500m, list: [{x: 1}, {x: 2}]}}
+ v1.Pod n/b {spec: {cpu: lots}}
+ apps/v1.Deployment n/c
@1060
+ v1.Pod n/a {spec: {cpu: "2"}}
- v1.Pod n/b
`)
	for _, test := range []struct {
		selector string
		// want holds, for each object, whether it is matched, or ! for an error.
		want string
	}{
		{"", "yyyyy"},
		{"*", "yyyyy"},
		{`kind == "Pod"`, "yynyy"},
		{`@gvk == "apps/v1.Deployment"`, "nnynn"},
		{`exists(spec)`, "yynyn"},
		{`!exists(spec)`, "nnyny"},
		{`@t >= 1m`, "nnnyy"},
		{`@t < 1060`, "yyynn"},
		{`spec.cpu < "1"`, "y!nnn"},
		{`$x := spec.list[*] | $x.x == 2`, "ynnnn"},
		{`$x := spec.list[*] | $x.x > 1 && $x.x == 1`, "nnnnn"},
	} {
		t.Run(test.selector, func(t *testing.T) {
			selector, err := skel.CompileSelector(test.selector)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := selector.String(), test.selector; got != want {
				t.Errorf("text: got %q, want %q", got, want)
			}
			matches := selector.Matcher(in.Events[0].Time)
			got := ""
			for i := range in.Events {
				e := &in.Events[i]
				for j := range e.Applied {
					got += answer(matches(e.Time, &e.Applied[j]))
				}
				for j := range e.Deleted {
					got += answer(matches(e.Time, &e.Deleted[j]))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("selected (-want +got):\n%s", diff)
			}
		})
	}
}

func answer(matched bool, err error) string {
	switch {
	case err != nil:
		return "!"
	case matched:
		return "y"
	}
	return "n"
}
