package xray

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocs_Keys holds the table of keys in docs/xray.md to the keys there are.
func TestDocs_Keys(t *testing.T) {
	text, err := os.ReadFile("../../docs/xray.md")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile("`([^`]+)`")
	var got, want [][2]string
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`[^`]+` ?)+) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		keys := ""
		for _, k := range key.FindAllStringSubmatch(m[1], -1) {
			keys += " " + k[1]
		}
		if len(m[1]) > 2 && m[1][:3] != "`--" {
			got = append(got, [2]string{keys[1:], m[2]})
		}
	}
	for _, b := range bindings {
		want = append(want, [2]string{b.show, b.says})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the keys in docs/xray.md (-want +got):\n%s", diff)
	}
}

// TestBindings checks that no key has two meanings, and that every command has one.
func TestBindings(t *testing.T) {
	seen := map[string]bool{}
	commands := map[command]bool{}
	for _, b := range bindings {
		for _, key := range b.keys {
			if seen[key] {
				t.Errorf("%s has two meanings", key)
			}
			seen[key] = true
		}
		if commands[b.command] {
			t.Errorf("%s: the command is there twice", b.show)
		}
		commands[b.command] = true
	}
	for c := cmdNone + 1; c <= cmdRedraw; c++ {
		if !commands[c] {
			t.Errorf("command %d has no key", c)
		}
	}
}
