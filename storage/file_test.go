package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/storage"
)

func TestFile_places(t *testing.T) {
	for _, test := range []struct {
		name   string
		make   func(t *testing.T, dir string) // creates what exists before
		key    string
		kind   error
		reason string
	}{
		{name: "folder is missing", key: "missing/a", kind: storage.ErrNotExist, reason: "must exist"},
		{name: "folder", key: "", reason: "it is a directory"},
		{name: "file is no folder", key: "file/a", make: makeFile, reason: "not a directory"},
		{name: "link to nowhere", key: "link", make: func(t *testing.T, dir string) {
			must(t, os.Symlink("nowhere", filepath.Join(dir, "link")))
		}, reason: "it is a link to nowhere"},
		{name: "device", key: "null", make: func(t *testing.T, dir string) {
			must(t, os.Symlink(os.DevNull, filepath.Join(dir, "null")))
		}, reason: "cannot be replaced"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.make != nil {
				test.make(t, dir)
			}
			before := names(t, dir)
			client := storage.New(storage.Options{})
			defer client.Close()
			location := storage.Location{Scheme: storage.SchemeFile, Key: filepath.Join(dir, test.key)}
			for _, err := range []error{put(t, client, location, []byte("data")), client.Check(t.Context(), location)} {
				if err == nil || !strings.Contains(err.Error(), test.reason) || !strings.Contains(err.Error(), location.Key) {
					t.Errorf("got the error %v, want one with %q and the path", err, test.reason)
				}
				if test.kind != nil && !errors.Is(err, test.kind) {
					t.Errorf("got the error %v, want %v", err, test.kind)
				}
			}
			if got := names(t, dir); got != before {
				t.Errorf("there is %s, want %s", got, before)
			}
		})
	}
}

func TestFile_keepsLinkAndPermissions(t *testing.T) {
	dir := t.TempDir()
	makeFile(t, dir)
	must(t, os.Chmod(filepath.Join(dir, "file"), 0o640))
	must(t, os.Symlink("file", filepath.Join(dir, "link")))
	client := storage.New(storage.Options{})
	defer client.Close()
	must(t, put(t, client, parse(t, filepath.Join(dir, "link")), []byte("new")))
	if target, err := os.Readlink(filepath.Join(dir, "link")); target != "file" {
		t.Errorf("the link leads to %q (%v), want to the file", target, err)
	}
	info, err := os.Stat(filepath.Join(dir, "file"))
	must(t, err)
	if got := info.Mode().Perm(); got != 0o640 || info.Size() != 3 {
		t.Errorf("the file has the permissions %o and %d bytes, want 640 and 3", got, info.Size())
	}
}

func makeFile(t *testing.T, dir string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("old data"), 0o600))
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return strings.Join(all, " ")
}
