package report

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// palettes returns the custom properties of the light and the dark theme.
func palettes(t *testing.T) map[string]map[string]string {
	t.Helper()
	screen, _, ok := strings.Cut(pageStyle, "* { box-sizing")
	if !ok {
		t.Fatal("the themes don't come first in report.css")
	}
	light, dark, ok := strings.Cut(screen, "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark theme")
	}
	parse := func(css string) map[string]string {
		vars := map[string]string{}
		for _, m := range regexp.MustCompile(`--(\w+): (#[0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
			vars[m[1]] = m[2]
		}
		return vars
	}
	return map[string]map[string]string{"light": parse(light), "dark": parse(dark)}
}

// luminance is that of WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func TestStyle_Contrast(t *testing.T) {
	for theme, vars := range palettes(t) {
		t.Run(theme, func(t *testing.T) {
			check := func(name, on string, least float64) {
				t.Helper()
				if vars[name] == "" || vars[on] == "" {
					t.Errorf("%s or %s is not in this theme", name, on)
					return
				}
				if got := contrast(t, vars[name], vars[on]); got < least {
					t.Errorf("%s %s on %s %s: contrast %.2f, want %.1f", name, vars[name], on, vars[on], got, least)
				}
			}
			for _, text := range []string{"text", "muted", "accent", "good", "warn", "bad"} {
				check(text, "surface", 4.5)
				check(text, "page", 4.5)
			}
			for _, picture := range []string{"running", "starting", "pending", "succeeded", "failed", "ready", "capacity", "kind0", "kind1", "kind2", "kind3", "kind4", "kind5"} {
				check(picture, "surface", 3)
			}
			// The steps of the heat strip go one way, so that they can be told apart without colour.
			for i := 1; i < len(levels); i++ {
				a := luminance(t, vars["heat"+strconv.Itoa(i-1)])
				b := luminance(t, vars["heat"+strconv.Itoa(i)])
				if (theme == "light") != (a > b) {
					t.Errorf("heat%d is not a step further than heat%d", i, i-1)
				}
			}
		})
	}
}
