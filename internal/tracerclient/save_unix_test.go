//go:build unix

package tracerclient

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSave_Permissions checks the permissions of a trace from its first byte on: a new file has
// those of the umask, an existing one keeps its own.
func TestSave_Permissions(t *testing.T) {
	data, err := os.ReadFile(exampleTrace)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		umask     int
		old, want os.FileMode
	}{
		"a new file":         {0o022, 0, 0o644},
		"for its owner only": {0o077, 0, 0o600},
		"a secret one":       {0o022, 0o600, 0o600},
		"a shared one":       {0o077, 0o664, 0o664},
	} {
		t.Run(name, func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(tc.umask))
			dir := t.TempDir()
			path := filepath.Join(dir, "x.sktrace")
			if tc.old != 0 {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, tc.old); err != nil {
					t.Fatal(err)
				}
			}
			underway := os.FileMode(0)
			_, err := Save(t.Context(), bytes.NewReader(data), path, func(int) {
				entries, err := os.ReadDir(dir)
				if err != nil {
					t.Error(err)
				}
				for _, entry := range entries {
					info, err := entry.Info()
					if err != nil {
						t.Error(err)
					}
					if entry.Name() != "x.sktrace" {
						underway |= info.Mode().Perm()
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != tc.want || underway != tc.want {
				t.Errorf("the file is %v, %v, and was %v when it came; want %v", info.Mode(), err, underway, tc.want)
			}
		})
	}
}

// TestSave_Odd checks that what is not a regular file is not replaced, and that links are followed.
func TestSave_Odd(t *testing.T) {
	data, err := os.ReadFile(exampleTrace)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pipe, link, broken, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "link"), filepath.Join(dir, "broken"), filepath.Join(dir, "file")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{link: "file", broken: "none"} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, []byte("an old one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe: "a device, pipe or socket", broken: "a link to none, which does not exist", dir: "it is a folder",
	} {
		body := &untouched{t}
		if _, err := Save(t.Context(), body, path, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Save to %s: %v, want an error with %q", path, err, want)
		}
		if err := CheckPlace(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckPlace(%s): %v, want an error with %q", path, err, want)
		}
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the pipe is now %v, %v", info, err)
	}
	if err := CheckPlace(link); err != nil {
		t.Errorf("CheckPlace of a link: %v", err)
	}
	if _, err := Save(t.Context(), bytes.NewReader(data), link, nil); err != nil {
		t.Fatal(err)
	}
	if stored, err := os.ReadFile(file); err != nil || !bytes.Equal(stored, data) {
		t.Errorf("where the link leads, there are %d bytes, %v; want %d", len(stored), err, len(data))
	}
	if target, err := os.Readlink(link); err != nil || target != "file" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
}

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (u *untouched) Read([]byte) (int, error) {
	u.t.Error("the trace was read, though it cannot be stored")
	return 0, io.EOF
}
