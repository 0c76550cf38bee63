package driver

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReasons_Documented checks that the docs describe every reason of a failure.
func TestReasons_Documented(t *testing.T) {
	code, err := os.ReadFile("failure.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`(?m)^\tReason\w+ += "(\w+)"$`).FindAllStringSubmatch(string(code), -1)
	if len(reasons) < 8 {
		t.Fatalf("only %d reasons were found", len(reasons))
	}
	for _, reason := range reasons {
		if !strings.Contains(string(page), "\n| `"+reason[1]+"` |") {
			t.Errorf("docs/running.md has no row for %s", reason[1])
		}
	}
}
