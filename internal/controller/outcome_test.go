package controller

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every reason of a failure is in the table of docs/running.md.
func TestReasons_Documented(t *testing.T) {
	code, err := os.ReadFile("outcome.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	failures, _, _ := strings.Cut(string(code), "\n)\n\n// The reasons of the condition Ready that are not failures.")
	reasons := regexp.MustCompile(`reason\w+ += "(\w+)"`).FindAllStringSubmatch(failures, -1)
	if len(reasons) < 10 {
		t.Fatalf("only %d reasons were found", len(reasons))
	}
	for _, reason := range append(reasons, []string{"", reasonStuck}, []string{"", reasonUnschedulable}) {
		if !strings.Contains(string(page), "\n| `"+reason[1]+"` |") {
			t.Errorf("docs/running.md has no row for %s", reason[1])
		}
	}
}
