package timespec

import (
	"errors"
	"strings"
	"testing"
	"time"
)

var goodDurations = map[string]time.Duration{
	"90s":     90 * time.Second,
	"5m":      5 * time.Minute,
	"+5m":     5 * time.Minute,
	"1h30m":   90 * time.Minute,
	"2d":      48 * time.Hour,
	"1d12h":   36 * time.Hour,
	"250ms":   250 * time.Millisecond,
	"1s5ms":   1005 * time.Millisecond,
	"0s":      0,
	"106751d": 106751 * 24 * time.Hour,
}

var badDurations = map[string]string{
	"":                      "is empty",
	"+":                     "is empty",
	"-5m":                   `must have an integer at "-5m"`,
	"5":                     "has no unit after 5",
	"5 m":                   `has no unit at " m"`,
	"1.5h":                  `has no unit at ".5h"`,
	"5min":                  `must have an integer at "in"`,
	"30m1h":                 "has its units out of order",
	"5m5m":                  "has its units out of order",
	"1ms1s":                 "has its units out of order",
	"106752d":               "is too long",
	"99999999999999999999s": "is too long",
	"++5m":                  `must have an integer at "+5m"`,
	"٣m":                    `must have an integer at "٣m"`,
	"now":                   `must have an integer at "now"`,
}

func TestParseDuration(t *testing.T) {
	for in, want := range goodDurations {
		t.Run("good "+in, func(t *testing.T) {
			got, err := ParseDuration(in)
			if err != nil || got != want {
				t.Errorf("ParseDuration(%q) = %v, %v, want %v", in, got, err, want)
			}
		})
	}
	for in, want := range badDurations {
		t.Run("bad "+in, func(t *testing.T) {
			got, err := ParseDuration(in)
			if err == nil {
				t.Fatalf("ParseDuration(%q) = %v, want an error", in, got)
			}
			if !errors.Is(err, ErrDuration) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), AcceptedDurations) {
				t.Errorf("error is %q, want it to say %q and what is accepted", err, want)
			}
		})
	}
}

func FuzzParseDuration(f *testing.F) {
	for in := range goodDurations {
		f.Add(in)
	}
	for in := range badDurations {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ParseDuration(in)
		if err != nil {
			return
		}
		if got < 0 {
			t.Fatalf("ParseDuration(%q) = %v, which is negative", in, got)
		}
		// Apart from days, accepted durations have the same meaning in Go.
		if !strings.Contains(in, "d") {
			if want, err := time.ParseDuration(in); err != nil || want != got {
				t.Fatalf("ParseDuration(%q) = %v; Go reads %v, %v", in, got, want, err)
			}
		}
	})
}
