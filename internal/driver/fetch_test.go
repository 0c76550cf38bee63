package driver

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/trace"
)

// TestFetch_JSON fetches traces as JSON.
func TestFetch_JSON(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a trace": {`{"ts": 1700000000, "applied_objs": []}`, ""},
		"invalid": {`{"ts": 1700000000, "secret": "hidden"}`, "line 1, column 20 is not the JSON of a trace; see what skctl trace from-json says of the file"},
		"late":    {`{"ts": 2}` + "\n" + `{"ts": 1}`, "the events are not in the order of their times"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "trace.json")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			d := &driver{opts: Options{TracePath: path, WorkDir: dir}, log: slog.New(slog.DiscardHandler)}
			got, err := d.fetch(t.Context())
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if read, err := trace.ReadFile(got); err != nil || len(read.Events) != 1 {
					t.Errorf("got %v, %v, want a trace with an event", read, err)
				}
				return
			}
			var failed *Failure
			if !errors.As(err, &failed) || failed.Reason != ReasonTraceUnreadable || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s: %s", err, ReasonTraceUnreadable, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("%v shows a part of the file", err)
			}
		})
	}
}
