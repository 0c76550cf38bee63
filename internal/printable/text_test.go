package printable

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var texts = []struct{ text, line, lines string }{
	{"", "", ""},
	{"plain text, 100%", "plain text, 100%", "plain text, 100%"},
	{"größer 日本 é 🙂", "größer 日本 é 🙂", "größer 日本 é 🙂"},
	{"a\nb\tc", `a\nb\tc`, "a\nb\tc"},
	{"a\r\nb", `a\r\nb`, "a\\r\nb"},
	{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`, `\x1b[31mred\x1b[0m`},
	{"\x1b]0;title\a\b\x00", `\x1b]0;title\x07\x08\x00`, `\x1b]0;title\x07\x08\x00`},
	{"a\x7fb", `a\x7fb`, `a\x7fb`},
	{"csi \u009b31m", `csi \u009b31m`, `csi \u009b31m`},
	{"raw c1 \x9b31m", `raw c1 \x9b31m`, `raw c1 \x9b31m`},
	{"user\u202etxt.exe\u2066\u200f", `user\u202etxt.exe\u2066\u200f`, `user\u202etxt.exe\u2066\u200f`},
	{"line\u2028paragraph\u2029", `line\u2028paragraph\u2029`, `line\u2028paragraph\u2029`},
	{"no-break\u00a0space, joined 👩\u200d👧", "no-break\u00a0space, joined 👩\u200d👧", "no-break\u00a0space, joined 👩\u200d👧"},
	{"cut \xe6\x97", `cut \xe6\x97`, `cut \xe6\x97`},
	{"replacement \ufffd", "replacement \ufffd", "replacement \ufffd"},
}

func TestLineAndText(t *testing.T) {
	for _, test := range texts {
		if got := Line(test.text); got != test.line {
			t.Errorf("Line(%q): got %q, want %q", test.text, got, test.line)
		}
		if got := Text(test.text); got != test.lines {
			t.Errorf("Text(%q): got %q, want %q", test.text, got, test.lines)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, test := range texts {
		text, err := json.Marshal(map[string]string{"a": test.text})
		if err != nil {
			t.Fatal(err)
		}
		shown := JSON(text)
		if bad := firstControl(string(shown)); bad != "" {
			t.Errorf("%q: there is %q in %s", test.text, bad, shown)
		}
		var got, want map[string]string
		if err := json.Unmarshal(shown, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &want); err != nil || got["a"] != want["a"] {
			t.Errorf("got %q, want %q", got["a"], want["a"])
		}
	}
}

// firstControl returns the first control character of a text that is not part of its layout.
func firstControl(text string) string {
	for _, r := range text {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) && r != '\n' && r != '\t' {
			return string(r)
		}
	}
	return ""
}

func TestWriter(t *testing.T) {
	for _, test := range texts {
		for size := 1; size <= 5; size++ {
			var b strings.Builder
			w := NewWriter(&b)
			for rest := test.text; rest != ""; {
				part := rest[:min(size, len(rest))]
				if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("got %d, %v", n, err)
				}
				rest = rest[len(part):]
			}
			if err := w.Close(); err != nil || b.String() != test.lines {
				t.Errorf("%q in parts of %d: got %q, %v, want %q", test.text, size, b.String(), err, test.lines)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	for _, test := range texts {
		f.Add(test.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, shown := range []string{Line(text), Text(text)} {
			if bad := firstControl(shown); bad != "" || !utf8.ValidString(shown) {
				t.Errorf("%q: there is %q in %q", text, bad, shown)
			}
			if again := Text(shown); again != shown {
				t.Errorf("%q: got %q, and %q the second time", text, shown, again)
			}
		}
	})
}
