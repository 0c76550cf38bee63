package trace

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReader_Offset slices events out of the samples by their offsets and parses each of them.
func TestReader_Offset(t *testing.T) {
	for _, name := range []string{"bare-pods.sktrace", "cronjob.sktrace"} {
		raw, err := os.ReadFile(samplePath(t, name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		from := r.Offset()
		for want, err := range r.Events() {
			if err != nil {
				t.Fatal(err)
			}
			to := r.Offset()
			got, err := ParseEvent(raw[from:to])
			if err != nil {
				t.Fatalf("%s: the event at bytes %d to %d: %v", name, from, to, err)
			}
			if diff := cmp.Diff(encodedEvent(t, want), encodedEvent(t, got)); diff != "" {
				t.Errorf("%s: the event at byte %d differs (-read +parsed):\n%s", name, from, diff)
			}
			from = to
		}
	}
}

func TestParseEvent_Malformed(t *testing.T) {
	var format *FormatError
	if _, err := ParseEvent([]byte{0x80}); !errors.As(err, &format) || !errors.Is(err, ErrMissingKey) {
		t.Errorf("an empty map: got the error %v", err)
	}
	whole := encodedEvent(t, &Event{Time: 7})
	if _, err := ParseEvent(append(whole, 0)); !errors.Is(err, ErrTrailing) {
		t.Errorf("a byte too many: got the error %v", err)
	}
	for n := range whole {
		if _, err := ParseEvent(whole[:n:n]); !errors.Is(err, ErrTruncated) {
			t.Errorf("%d of %d bytes: got the error %v", n, len(whole), err)
		}
	}
}

func encodedEvent(t *testing.T, e *Event) []byte {
	t.Helper()
	b, err := appendEvent(nil, e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
