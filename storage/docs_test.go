package storage_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocs checks that docs/storage.md lists every variable that is looked up, and that the
// policies in it are valid JSON.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/storage.md")
	must(t, err)
	page := string(text)

	sources, err := filepath.Glob("*.go")
	must(t, err)
	variable := regexp.MustCompile(`"((?:AWS|GOOGLE|AZURE|STORAGE)_[A-Z0-9_]+)"`)
	names := map[string]bool{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		errorCode, err := os.ReadFile(source)
		must(t, err)
		for _, match := range variable.FindAllStringSubmatch(string(errorCode), -1) {
			names[match[1]] = true
		}
	}
	if len(names) < 10 {
		t.Fatalf("found only the variables %v", names)
	}
	for name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/storage.md does not name %s", name)
		}
	}

	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) < 3 {
		t.Fatalf("found only %d policies", len(blocks))
	}
	for _, block := range blocks {
		if !json.Valid([]byte(block[1])) {
			t.Errorf("the policy is not JSON:\n%s", block[1])
		}
	}
}
