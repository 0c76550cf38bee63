package playback

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// framed returns data as the runtime writes it at a time.
func framed(time uint64, data string) string { return string(AppendFrame(nil, time, data)) }

// stripped returns the output of a Writer for text written in pieces of some size.
func stripped(tb testing.TB, text string, size int) string {
	tb.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for piece := []byte(text); len(piece) > 0; {
		n := min(size, len(piece))
		if got, err := w.Write(piece[:n]); got != n || err != nil {
			tb.Fatalf("Write of %d bytes: got %d, %v", n, got, err)
		}
		piece = piece[n:]
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func TestWriter(t *testing.T) {
	long := strings.Repeat("0123456789", 1000)
	for _, test := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"a frame", framed(1, "hello\n"), "hello\n"},
		{"several frames", framed(1, "a") + framed(2, "b\n") + framed(1<<63, "c"), "ab\nc"},
		{"an empty frame", framed(1, "") + framed(2, "b"), "b"},
		{"a long frame", framed(1, long), long},
		{"a magic word in a frame", framed(1, magic+"x"), magic + "x"},
		{"a header in a frame", framed(1, framed(2, "x")), framed(2, "x")},
		{"no frame", "ok\tsome/package\n", "ok\tsome/package\n"},
		{"text around a frame", "before\n" + framed(1, "in") + "after\n", "before\nin" + "after\n"},
		{"zeros before a frame", "\x00\x00\x00" + framed(1, "a"), "\x00\x00\x00a"},
		{"zeros", "a\x00\x00b\x00", "a\x00\x00b\x00"},
		{"a header cut off", "a" + framed(1, "b")[:headerSize-1], "a" + framed(1, "b")[:headerSize-1]},
		{"a magic word cut off", framed(1, "a") + magic[:3], "a" + magic[:3]},
		{"data cut off", framed(1, "abc")[:headerSize+1], "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 3, headerSize - 1, headerSize, headerSize + 1, 1 << 20} {
				if got := stripped(t, test.in, size); got != test.want {
					t.Errorf("in pieces of %d: got %q, want %q", size, got, test.want)
				}
			}
		})
	}
}

// TestWriter_AtOnce checks that the available data is written before more arrives.
func TestWriter_AtOnce(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, step := range []struct{ in, want string }{
		{"plain", "plain"}, {framed(1, "abc")[:headerSize+2], "plainab"}, {"c", "plainabc"}, {"\x00", "plainabc"}, {"d", "plainabc\x00d"},
	} {
		if _, err := w.Write([]byte(step.in)); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != step.want {
			t.Errorf("after %q: got %q, want %q", step.in, got, step.want)
		}
	}
}

func TestWriter_ReturnsErrors(t *testing.T) {
	w := NewWriter(failing{})
	if _, err := w.Write([]byte(framed(1, "a"))); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errBroken }

func FuzzWriter(f *testing.F) {
	f.Add("before", "data", uint64(1), 3)
	f.Add("", magic, uint64(0), 1)
	f.Add("\x00\x00P", "\x00", uint64(1<<63), headerSize)
	f.Add("a\x00", framed(3, "inner"), uint64(7), 1000)
	f.Fuzz(func(t *testing.T, plain, data string, time uint64, size int) {
		size = max(1, size)
		// Text that contains the magic cannot be distinguished from a frame.
		if strings.Index(plain+magic, magic) == len(plain) {
			in := plain + framed(time, data) + framed(time+1, plain)
			if got, want := stripped(t, in, size), plain+data+plain; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		// The size of the pieces must make no difference, and nothing may be added.
		in := plain + data + framed(time, data) + plain
		whole := stripped(t, in, len(in))
		if got := stripped(t, in, size); got != whole {
			t.Errorf("in pieces of %d: got %q, want %q", size, got, whole)
		}
		if len(whole) > len(in) {
			t.Errorf("got %d bytes of %d", len(whole), len(in))
		}
	})
}
