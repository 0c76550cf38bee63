package xray

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestClean(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"plain":           {"web-1: 25%", "web-1: 25%"},
		"letters":         {"straße, 日本語, e\u0301", "straße, 日本語, e\u0301"},
		"escape sequence": {"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		"operating system command": {
			"\x1b]0;title\x07x", `\x1b]0;title\x07x`,
		},
		"C1":                {"\u009b31m", `\u009b31m`},
		"white space":       {"a\tb\nc\rd", `a\tb\nc\rd`},
		"right to left":     {"a\u202eb", `a\u202eb`},
		"zero width":        {"a\u200bb\ufeff", `a\u200bb\ufeff`},
		"joined":            {"👩\u200d👧", `\U0001f469\u200d\U0001f467`},
		"not UTF-8":         {"a\xffb", `a\xffb`},
		"delete":            {"a\x7fb", `a\x7fb`},
		"lonely combining":  {"\u0301", `\u0301`},
		"line separator":    {"a\u2028b", `a\u2028b`},
		"private use":       {"\ue000", `\ue000`},
		"no-break space":    {"a\u00a0b", `a\u00a0b`},
		"ideographic space": {"a\u3000b", `a\u3000b`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := clean(tc.in); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"abc", "\x1b[2J", "日本語", "👩‍👩‍👧 🇩🇪 ✌🏽 e\u0301", "\u202e\u200b\ufeff", "\u0301a", "\xff\xfe", "각", "क्षि"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		for _, r := range got {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
				t.Errorf("%q has the control character %q", got, r)
			}
		}
		if ansi.Strip(got) != got {
			t.Errorf("%q has a sequence in it", got)
		}
		if n, wc := ansi.StringWidth(got), ansi.StringWidthWc(got); n != wc {
			t.Errorf("%q is %d wide by one way of counting and %d by another", got, n, wc)
		}
		for width := range 5 {
			if c := cut(got, width, "~"); cells(c) > width {
				t.Errorf("cut to %d: %q", width, c)
			}
			if rest := skip(got, width); cells(rest) != max(0, cells(got)-width) {
				t.Errorf("%q without %d cells is %q, %d cells wide", got, width, rest, cells(rest))
			}
		}
	})
}

func TestLine_Draw(t *testing.T) {
	plain := newLook(false, true)
	for name, tc := range map[string]struct {
		spans []string
		width int
		want  string
	}{
		"fills":             {[]string{"ab", "c"}, 5, "abc  "},
		"fits":              {[]string{"ab", "c"}, 3, "abc"},
		"cuts":              {[]string{"ab", "cde"}, 4, "abc…"},
		"cuts at a span":    {[]string{"ab", "cd"}, 2, "a…"},
		"cuts what is wide": {[]string{"日本語"}, 4, "日… "},
		"no room":           {[]string{"ab"}, 0, ""},
		"nothing":           {nil, 2, "  "},
	} {
		t.Run(name, func(t *testing.T) {
			var l line
			for _, s := range tc.spans {
				l.add(rolePlain, s)
			}
			if got := l.draw(tc.width, plain); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestHighlight(t *testing.T) {
	l := of(roleField, "image")
	l.add(rolePlain, ": IMAGE:mage")
	var marked []string
	for _, s := range highlight(l, "mage").spans {
		if s.role == roleMatch {
			marked = append(marked, s.text)
		}
	}
	if got := strings.Join(marked, ","); got != "mage,MAGE,mage" {
		t.Errorf("marked %q", got)
	}
	if got := highlight(l, "mage"); got.text() != l.text() {
		t.Errorf("the text became %q", got.text())
	}
}

func TestUTF8(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing":    {nil, false},
		"LANG":       {map[string]string{"LANG": "de_DE.UTF-8"}, true},
		"C":          {map[string]string{"LANG": "C"}, false},
		"C.utf8":     {map[string]string{"LC_CTYPE": "C.utf8", "LANG": "C"}, true},
		"LC_ALL":     {map[string]string{"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, false},
		"a modifier": {map[string]string{"LANG": "ca_ES.UTF-8@valencia"}, true},
		"Latin 1":    {map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := UTF8(func(key string) string { return tc.env[key] }); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

func TestSparkline(t *testing.T) {
	bars := newGlyphs(false).bars
	for name, tc := range map[string]struct {
		values []int
		want   string
	}{
		"nothing":                {nil, ""},
		"no activity":            {[]int{0, 0}, "  "},
		"a start and little":     {[]int{10000, 1, 2, 4, 8}, "@:-+@"},
		"least can be seen":      {[]int{0, 1, 1000}, " .@"},
		"nothing after a start":  {[]int{5, 0}, "@ "},
		"the first is the small": {[]int{1, 8}, ":@"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sparkline(tc.values, bars); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestColumn(t *testing.T) {
	for _, tc := range []struct {
		first, last int64
		width       int
	}{{0, 100, 10}, {5, 6, 80}, {1700000000, 1700086400, 120}, {7, 7, 10}, {0, 1 << 40, 3}} {
		for cell := range tc.width {
			at := timeAt(cell, tc.first, tc.last, tc.width)
			if at < tc.first || at > tc.last {
				t.Errorf("%+v: cell %d begins at %d", tc, cell, at)
			}
			if got := column(at, tc.first, tc.last, tc.width); tc.last-tc.first >= int64(tc.width) && got != cell {
				t.Errorf("%+v: cell %d begins at %d, which is in cell %d", tc, cell, at, got)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	for got, want := range map[string]string{
		clockTime(noon, false):         "12:00:00",
		clockTime(noon, true):          "2025-06-01 12:00:00",
		clockTime(-5, true):            "@-5",
		clockTime(1<<62, true):         "@4611686018427387904",
		sinceStart(noon+65, noon):      "+00:01:05",
		sinceStart(noon-65, noon):      "-00:01:05",
		sinceStart(noon+2*day+3, noon): "+2d00:00:03",
		sinceStart(1<<62, -1<<62):      "-far",
		lasting(59):                    "59s",
		lasting(61):                    "1m01s",
		lasting(3661):                  "1h01m01s",
		lasting(3*day + 7200):          "3d02h",
		lasting(-61):                   "-1m01s",
		timestamp(noon):                "2025-06-01T12:00:00Z",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
