package timespec

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// testTimes returns the times for the tests: now in a zone two hours ahead, and base one hour
// earlier.
func testTimes() (now, base time.Time) {
	now = time.Date(2024, 6, 1, 14, 0, 0, 0, time.FixedZone("", 2*60*60))
	return now, now.Add(-time.Hour)
}

// goodTimes are in UTC.
var goodTimes = map[string]string{
	"now":                       "2024-06-01T12:00:00Z",
	" now ":                     "2024-06-01T12:00:00Z",
	"-2h":                       "2024-06-01T09:00:00Z",
	"-30m":                      "2024-06-01T10:30:00Z",
	"-1d12h":                    "2024-05-30T23:00:00Z",
	"-0s":                       "2024-06-01T11:00:00Z",
	"+5m":                       "2024-06-01T11:05:00Z",
	"10 minutes ago":            "2024-06-01T11:50:00Z",
	"1 hour 30 minutes ago":     "2024-06-01T10:30:00Z",
	"1 day ago":                 "2024-05-31T12:00:00Z",
	"90 secs ago":               "2024-06-01T11:58:30Z",
	"2h ago":                    "2024-06-01T10:00:00Z",
	"2024-01-01T12:00:00Z":      "2024-01-01T12:00:00Z",
	"2024-01-01T12:00:00+05:30": "2024-01-01T06:30:00Z",
	"2024-01-01T12:00:00.25Z":   "2024-01-01T12:00:00.25Z",
	"2024-01-01T12:00:00":       "2024-01-01T10:00:00Z",
	"2024-01-01":                "2023-12-31T22:00:00Z",
	"1704110400":                "2024-01-01T12:00:00Z",
	"0":                         "1970-01-01T00:00:00Z",
	"253402300799":              "9999-12-31T23:59:59Z",
}

var badTimes = map[string]string{
	"":                          "is empty",
	"  ":                        "is empty",
	"yesterday":                 "is unknown",
	"Now":                       "is unknown",
	"12:00":                     "is unknown",
	"2024-13-01":                "is unknown",
	"2024-01-01 12:00:00":       "is unknown",
	"30m":                       "is unknown",
	"-":                         "has no duration after its sign",
	"-5":                        "has no duration after its sign",
	"+-5m":                      "has no duration after its sign",
	"-+5m":                      "has no duration after its sign",
	"- 5m":                      "has no duration after its sign",
	"+":                         "has no duration after its sign",
	"five minutes ago":          `has no duration before "ago"`,
	"minutes ago":               `has no duration before "ago"`,
	"-5 minutes ago":            "has no duration after its sign",
	"+5 minutes ago":            "has no duration after its sign",
	"10 ago":                    `has no duration before "ago"`,
	"1 fortnight ago":           `has no duration before "ago"`,
	"1704110400000":             "is too large for unix seconds; milliseconds are not accepted",
	"99999999999999999999":      "is too large for unix seconds; milliseconds are not accepted",
	"-60d500000h":               "is before 1970",
	"1969-12-31T23:59:59Z":      "is before 1970",
	"1970-01-01":                "is before 1970",
	"9999-12-31T23:59:59-01:00": "is after the year 9999",
}

func TestParseTime(t *testing.T) {
	now, base := testTimes()
	for in, text := range goodTimes {
		t.Run("good "+in, func(t *testing.T) {
			want, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseTime(in, now, base)
			if err != nil || !got.Equal(want) {
				t.Errorf("ParseTime(%q) = %v, %v, want %v", in, got, err, want)
			}
		})
	}
	for in, want := range badTimes {
		t.Run("bad "+in, func(t *testing.T) {
			got, err := ParseTime(in, now, base)
			if err == nil {
				t.Fatalf("ParseTime(%q) = %v, want an error", in, got)
			}
			if !errors.Is(err, ErrTime) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), AcceptedTimes) {
				t.Errorf("error is %q, want it to say %q and what is accepted", err, want)
			}
		})
	}
}

// FuzzParseTime checks that times are in range, and that a formatted time is parsed to the same
// time.
func FuzzParseTime(f *testing.F) {
	for in := range goodTimes {
		f.Add(in)
	}
	for in := range badTimes {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		now, base := testTimes()
		got, err := ParseTime(in, now, base)
		if err != nil {
			if !errors.Is(err, ErrTime) {
				t.Fatalf("ParseTime(%q): %v does not wrap ErrTime", in, err)
			}
			return
		}
		if year := got.UTC().Year(); year < 1970 || year > 9999 {
			t.Fatalf("ParseTime(%q) = %v", in, got)
		}
		text := got.UTC().Format(time.RFC3339Nano)
		if again, err := ParseTime(text, now, base); err != nil || !again.Equal(got) {
			t.Fatalf("ParseTime(%q) = %v, and ParseTime(%q) = %v, %v", in, got, text, again, err)
		}
	})
}
