package words

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCount(t *testing.T) {
	for got, want := range map[string]string{
		Number(0):                     "0",
		Number(999):                   "999",
		Number(1000):                  "1,000",
		Number(1234567):               "1,234,567",
		Number(-123):                  "-123",
		Number(-123456):               "-123,456",
		Number(int64(math.MinInt64)):  "-9,223,372,036,854,775,808",
		Count(0, "pod"):               "0 pods",
		Count(1, "pod"):               "1 pod",
		Count(int32(2), "pod"):        "2 pods",
		Count(int64(12345), "object"): "12,345 objects",
		Times(0):                      "0 times",
		Times(1):                      "once",
		Times(1000):                   "1,000 times",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOr(t *testing.T) {
	if got, want := Or("a", "b", "c"), "a, b or c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnd(t *testing.T) {
	for _, tc := range []struct {
		items           []string
		all, first, one string
	}{
		{nil, "", "", ""},
		{[]string{"a"}, "a", "a", "a"},
		{[]string{"a", "b"}, "a and b", "a and b", "a and 1 more"},
		{[]string{"a", "b", "c"}, "a, b and c", "a, b and 1 more", "a and 2 more"},
		{[]string{"a", "b", "c", "d"}, "a, b, c and d", "a, b and 2 more", "a and 3 more"},
	} {
		if got := And(tc.items...); got != tc.all {
			t.Errorf("And(%q) = %q, want %q", tc.items, got, tc.all)
		}
		if got := First(2, tc.items...); got != tc.first {
			t.Errorf("First(2, %q) = %q, want %q", tc.items, got, tc.first)
		}
		if got := First(1, tc.items...); got != tc.one {
			t.Errorf("First(1, %q) = %q, want %q", tc.items, got, tc.one)
		}
	}
}

func TestClip(t *testing.T) {
	for _, tc := range []struct {
		text string
		n    int
		want string
	}{
		{"", 0, ""},
		{"short", 5, "short"},
		{"short", 4, "sho…"},
		{"short", 1, "…"},
		{"short", 0, ""},
		{"short", -1, ""},
		{"äöü日", 4, "äöü日"},
		{"äöü日", 3, "äö…"},
	} {
		if got := Clip(tc.text, tc.n); got != tc.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", tc.text, tc.n, got, tc.want)
		}
	}
}

func TestClipBytes(t *testing.T) {
	for _, tc := range []struct {
		text string
		n    int
		want string
	}{
		{"short", 5, "short"},
		{"short", 4, "s…"},
		{"short", 3, "…"},
		{"ääää", 8, "ääää"},
		{"ääää", 7, "ää…"},
		{"ääää", 6, "ä…"},
		{"a\xff" + "bcdef", 6, "ab…"},
	} {
		got := ClipBytes(tc.text, tc.n)
		if got != tc.want || len(got) > tc.n {
			t.Errorf("ClipBytes(%q, %d) = %q, want %q", tc.text, tc.n, got, tc.want)
		}
	}
}

func TestClipMiddle(t *testing.T) {
	for _, tc := range []struct {
		text string
		n    int
		want string
	}{
		{"short", 5, "short"},
		{"a long text that is cut", 15, "a lo [...]  cut"},
		{"ääääääääää", 12, "ä [...] ä"},
		{"a long text that is cut", 7, " [...] "},
	} {
		got := ClipMiddle(tc.text, tc.n)
		if got != tc.want || len(got) > tc.n || !utf8.ValidString(got) {
			t.Errorf("ClipMiddle(%q, %d) = %q, want %q", tc.text, tc.n, got, tc.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"m5.large", "m5.xlarge", "zone-a", "zone-b"}
	for name, want := range map[string]string{
		"m5.xlrage":                    "m5.xlarge",
		"M5.Large":                     "m5.large",
		"m5.lrge":                      "m5.large",
		"zone-c":                       "zone-a, zone-b",
		"zona":                         "zone-a",
		"region":                       "",
		"m5.large":                     "m5.xlarge", // it is not meant by itself
		"":                             "",
		strings.Repeat("m5.large", 10): "",
	} {
		if got := strings.Join(Nearest(name, known...), ", "); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	// A name of which all letters differ is not near.
	if got := Nearest("ab", "cd"); got != nil {
		t.Errorf("got %q, want none", got)
	}
}
