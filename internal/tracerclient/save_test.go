package tracerclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"simkube.io/simkube/trace"
)

const exampleTrace = "../../examples/first-steps.sktrace"

func TestSave(t *testing.T) {
	data, err := os.ReadFile(exampleTrace)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := trace.ReadFile(exampleTrace)
	if err != nil {
		t.Fatal(err)
	}
	want := Contents{Events: int64(len(whole.Events)), Bytes: int64(len(data)), Start: whole.Events[0].Time}
	for i := range whole.Events {
		want.Objects += int64(len(whole.Events[i].Applied) + len(whole.Events[i].Deleted))
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x.sktrace")
	if err := os.WriteFile(path, []byte("an old one"), 0o600); err != nil {
		t.Fatal(err)
	}
	received := 0
	got, err := Save(t.Context(), bytes.NewReader(data), path, func(n int) { received += n })
	if err != nil || got != want {
		t.Errorf("Save = %+v, %v, want %+v", got, err, want)
	}
	if stored, err := os.ReadFile(path); err != nil || !bytes.Equal(stored, data) || received != len(data) {
		t.Errorf("%d bytes are stored, %v, and %d were counted; want %d", len(stored), err, received, len(data))
	}
	expectFiles(t, dir, "x.sktrace")
}

// TestSave_Fails checks that nothing is left of an incomplete trace, and that an existing file is
// kept.
func TestSave_Fails(t *testing.T) {
	data, err := os.ReadFile(exampleTrace)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("connection reset")
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		body io.Reader
		want error
	}{
		"breaks off":         {t.Context(), io.MultiReader(bytes.NewReader(data[:1000]), iotest.ErrReader(broken)), broken},
		"is cut off":         {t.Context(), bytes.NewReader(data[:len(data)-1]), trace.ErrTruncated},
		"is cut off in half": {t.Context(), bytes.NewReader(data[:len(data)/2]), trace.ErrTruncated},
		"is empty":           {t.Context(), bytes.NewReader(nil), trace.ErrTruncated},
		"goes on":            {t.Context(), io.MultiReader(bytes.NewReader(data), bytes.NewReader([]byte("x"))), trace.ErrTrailing},
		"is interrupted":     {done, bytes.NewReader(data), context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.sktrace")
			if err := os.WriteFile(path, []byte("an old one"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := Save(tc.ctx, tc.body, path, nil); !errors.Is(err, tc.want) {
				t.Errorf("Save = %+v, %v, want %v", got, err, tc.want)
			}
			if stored, err := os.ReadFile(path); err != nil || string(stored) != "an old one" {
				t.Errorf("the file that was there is now %q, %v", stored, err)
			}
			expectFiles(t, dir, "x.sktrace")
		})
	}
}

func TestSave_NoFolder(t *testing.T) {
	if _, err := Save(t.Context(), bytes.NewReader(nil), filepath.Join(t.TempDir(), "none", "x"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func expectFiles(t *testing.T, dir, want string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != want {
		t.Errorf("the folder has %v, %v, want %s alone", entries, err, want)
	}
}
