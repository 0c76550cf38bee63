package main

import (
	"strings"
	"testing"
	"time"
)

func TestAdd(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	did := func(mode, name string, seconds int) action {
		return action{Mode: mode, Package: name, TimeStart: begin, TimeDone: begin.Add(time.Duration(seconds) * time.Second)}
	}
	const trace = "simkube.io/simkube/trace"
	var b strings.Builder
	err := write(&b, add("light", []action{
		did("build", trace, 1), did("build", trace+" ["+trace+".test]", 2), did("build", trace+"_test ["+trace+".test]", 3),
		did("link", trace+".test", 4), did("test run", trace, 5), did("build", "fmt", 6), did("nop", trace, 7),
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| light: trace | 6.0 | 4.0 | 5.0 |\n", "| light: packages that others import | 6.0 | 0.0 | 0.0 |\n",
		"| sum | 12.0 | 4.0 | 5.0 |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got\n%s\nwithout %q", b.String(), want)
		}
	}
}
