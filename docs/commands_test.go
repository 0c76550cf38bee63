package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	goTest   = regexp.MustCompile("(cd cluster && )?(?:[A-Z_]+=\\S+ )*go test [^`|\n]*")
	selector = regexp.MustCompile(`-(run|bench|fuzz) (?:'([^']+)'|(\S+))`)
	testFunc = regexp.MustCompile(`(?m)^func (Test|Benchmark|Fuzz)(\w*)\(`)
	packages = regexp.MustCompile(` (\./[\w/.-]*)`)
)

// TestCommands checks that the tests, benchmarks and fuzz targets that pages run exist in the
// packages that they name.
func TestCommands(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, path := range files(t, func(path string) bool { return filepath.Ext(path) == ".md" }) {
		text := strings.ReplaceAll(read(t, path), "\\\n", "")
		for _, command := range goTest.FindAllStringSubmatch(text, -1) {
			pkg := packages.FindStringSubmatch(command[0])
			if pkg == nil || strings.Contains(pkg[1], "...") {
				continue
			}
			// A command may be in the cluster module without a cd in the same line.
			folders := []string{filepath.Join(root, "cluster", pkg[1])}
			if command[1] == "" {
				folders = append(folders, filepath.Join(root, pkg[1]))
			}
			for _, match := range selector.FindAllStringSubmatch(command[0], -1) {
				pattern := match[2] + match[3]
				if pattern == "^$" {
					continue
				}
				checked++
				if !selects(t, folders, match[1], pattern) {
					t.Errorf("%s: no function matches -%s %s: %s", path, match[1], pattern, command[0])
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d commands were found: the test looks in the wrong place", checked)
	}
}

// selects reports whether a test file in one of the folders has a function that the flag selects.
func selects(t *testing.T, folders []string, flag, pattern string) bool {
	t.Helper()
	kind := map[string]string{"run": "Test", "bench": "Benchmark", "fuzz": "Fuzz"}[flag]
	pattern, _, _ = strings.Cut(pattern, "/") // the part for subtests cannot be checked
	name, err := regexp.Compile(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range testFunc.FindAllStringSubmatch(string(text), -1) {
				if match[1] == kind && name.MatchString(match[1]+match[2]) {
					return true
				}
			}
		}
	}
	return false
}
