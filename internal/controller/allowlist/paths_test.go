package allowlist

import (
	"strings"
	"testing"
)

func TestPaths_Allows(t *testing.T) {
	for name, test := range map[string]struct {
		folders     []string
		allow, deny []string
	}{
		"a folder": {
			[]string{"/data"},
			[]string{"/data/trace", "/data/a/b", "/data//trace", "/data/a/../trace", "/data/..trace"},
			[]string{"", "/", "/data/../etc/shadow", "/database/trace", "/Data/trace", "data/trace", "/etc/data/trace", "/data/a/../../etc/shadow", "/dat"},
		},
		"a file":  {[]string{"/data/trace"}, []string{"/data/trace"}, []string{"/data/trace2", "/data"}},
		"slashes": {[]string{"//data//"}, []string{"/data/trace"}, []string{"/etc/shadow"}},
		"all":     {[]string{"*"}, []string{"/etc/shadow", "/data/trace"}, []string{"trace", ""}},
		"root":    {[]string{"/"}, []string{"/etc/shadow"}, nil},
		"several": {[]string{"/data", "/srv/traces"}, []string{"/data/a", "/srv/traces/b"}, []string{"/srv/b"}},
		"none":    {nil, nil, []string{"/data/trace", "/"}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := ParsePaths(test.folders)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range test.allow {
				if !list.Allows(file) {
					t.Errorf("%q is not allowed", file)
				}
			}
			for _, file := range test.deny {
				if list.Allows(file) {
					t.Errorf("%q is allowed", file)
				}
			}
		})
	}
}

func TestParsePaths_Wrong(t *testing.T) {
	for _, folder := range []string{"", "data", "./data", "/data/..", "/../etc", "/data/*", "**"} {
		if _, err := ParsePaths([]string{"/data", folder}); err == nil || !strings.Contains(err.Error(), "must be an absolute path without .., or * for all") {
			t.Errorf("%q: got %v", folder, err)
		}
	}
}

func TestPaths_String(t *testing.T) {
	list, err := ParsePaths([]string{"/data/", "*"})
	if got := list.String(); err != nil || got != "/data, /" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := (Paths{}).String(); got != "none" {
		t.Errorf("got %q, want none", got)
	}
}
