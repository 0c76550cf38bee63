package tracejson

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"simkube.io/simkube/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sampleTraces returns the recorded traces and those of the repository, by name.
func sampleTraces(t testing.TB) map[string][]byte {
	t.Helper()
	root := filepath.Join("..", "..")
	found := map[string][]byte{}
	for _, path := range []string{
		filepath.Join(root, "examples", "day.sktrace"),
		filepath.Join(root, "examples", "first-steps.sktrace"),
		filepath.Join(root, "..", "shared", "traces", "bare-pods.sktrace"),
		filepath.Join(root, "..", "shared", "traces", "cronjob.sktrace"),
	} {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && len(found) >= 2 {
			continue // the recorded ones are not everywhere
		}
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(path)] = data
	}
	return found
}

// encode returns all parts of a trace.
func encode(t testing.TB, data []byte, format Format) string {
	t.Helper()
	reader, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := NewEncoder(&out, format)
	if err := e.Header(reader.Config()); err != nil {
		t.Fatal(err)
	}
	for event, err := range reader.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Event(event); err != nil {
			t.Fatal(err)
		}
	}
	tail, err := reader.Tail()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Tail(tail), e.Flush()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func decode(t testing.TB, text string) ([]byte, Decoded, error) {
	t.Helper()
	var out bytes.Buffer
	decoded, err := Decode(t.Context(), bytes.NewReader([]byte(text)), &out, DecodeOptions{})
	return out.Bytes(), decoded, err
}

// canonical returns the bytes that package trace writes of what it reads.
func canonical(t testing.TB, data []byte) []byte {
	t.Helper()
	tr, err := trace.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tr.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
