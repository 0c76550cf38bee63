// Package prerequisite is for tests that need what not every machine has: a browser, storage
// servers, the sample recordings. Without it such a test is skipped, or fails if [Variable] lists
// it, as on the machine that runs all tests.
package prerequisite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Variable names the environment variable that lists what must be there, separated by commas.
const Variable = "SIMKUBE_REQUIRE"

// What Variable may list.
const (
	// Browser is a Chromium on the PATH.
	Browser = "browser"
	// Programs are those of make build, and what a GitHub runner has.
	Programs = "programs"
	// Recordings are the sample recordings and install manifests in the folders shared/traces and
	// shared/manifests beside the repository's.
	Recordings = "recordings"
	// Servers are those of make test-servers.
	Servers = "servers"
)

// Missing skips the test, or fails it if Variable lists what, with a message that says what is
// missing.
func Missing(t testing.TB, what, format string, args ...any) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv(Variable), ","), what) {
		t.Logf("%s lists %q", Variable, what)
		t.Fatalf(format, args...)
	}
	t.Logf("%s=%s fails this test instead of skipping it", Variable, what)
	t.Skipf(format, args...)
}

// Recording returns the path of a sample recording, as "cronjob.sktrace". Without it the test is
// [Missing] it.
func Recording(t testing.TB, name string) string {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "..", "shared", "traces", name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		Missing(t, Recordings, "the sample recording %s does not exist", path)
	}
	return path
}

// Manifests returns the folder of the install manifests. Without it the test is [Missing] it.
func Manifests(t testing.TB) string {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "..", "shared", "manifests")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		Missing(t, Recordings, "the install manifests in %s do not exist", path)
	}
	return path
}

// repository returns the folder of the repository that the working directory lies in.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "cluster", "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the working directory is not in the repository")
		}
		dir = parent
	}
}
