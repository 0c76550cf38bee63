package app

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A command ends quietly when the reader of its output is gone, and leaves nothing behind.
func TestRun_Unread(t *testing.T) {
	day := filepath.Join(repository, "examples", "day.sktrace")
	for name, args := range map[string][]string{
		"what fails at it":      {"trace", "cat", "-"},
		"what does not look":    {"transform", "-", "-e", "modify(a = 1);", "--dry-run", "--changes", "1000"},
		"what writes it itself": {"trace", "hash", "--trace", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			in, err := os.Open(day)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			var errs bytes.Buffer
			code := Run(t.Context(), Streams{In: in, Out: writer, Err: &errs}, "v1", append([]string{"skctl"}, args...))
			if code != exitUnread {
				t.Errorf("exit code is %d, want %d", code, exitUnread)
			}
			// Commands that take longer than a second print their progress.
			said := slices.DeleteFunc(slices.Collect(strings.Lines(errs.String())), func(line string) bool { return strings.Contains(line, "%, ") })
			if got, want := strings.Join(said, ""), "reading the standard input\n"; got != want {
				t.Errorf("standard error is %q, want %q", got, want)
			}
			left, err := os.ReadDir(temp)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind are %v (%v), want nothing", left, err)
			}
		})
	}
}
