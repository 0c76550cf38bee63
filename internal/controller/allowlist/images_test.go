package allowlist

import (
	"strings"
	"testing"
)

const (
	digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	other  = "sha256:ff23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func TestImages_Allows(t *testing.T) {
	for name, test := range map[string]struct {
		patterns    string
		allow, deny []string
	}{
		"a repository": {
			"simkube/sk-driver",
			[]string{
				"simkube/sk-driver", "simkube/sk-driver:v1", "simkube/sk-driver@" + digest, "simkube/sk-driver:v1@" + digest,
				"docker.io/simkube/sk-driver:v1", "index.docker.io/simkube/sk-driver", "DOCKER.io/simkube/sk-driver",
			},
			[]string{
				"", "simkube/sk-driver2", "simkube/sk-driver/x", "simkube/sk-drive", "evil.example/simkube/sk-driver", "localhost/simkube/sk-driver",
				"simkube:5000/sk-driver", "library/simkube/sk-driver", "Simkube/sk-driver", "simkube/SK-driver", "simkube//sk-driver",
				"simkube/../simkube/sk-driver", "./simkube/sk-driver", "simkube/sk-driver:", "simkube/sk-driver@", "simkube/sk-driver@sha256:12",
				" simkube/sk-driver", "simkube/sk-driver\n", "simkube/sk-driver:v1:v2", "evil.example/x@simkube/sk-driver", "docker.io:443/simkube/sk-driver",
				"https://docker.io/simkube/sk-driver", "simkube/sk-driver#", "simkube/*",
			},
		},
		"a registry with a port": {
			"registry.example.com:5000/team/sk-driver",
			[]string{"registry.example.com:5000/team/sk-driver:v1", "Registry.Example.com:5000/team/sk-driver"},
			[]string{"registry.example.com/team/sk-driver", "registry.example.com:50000/team/sk-driver", "registry.example.com:5000.evil.example/team/sk-driver", "team/sk-driver"},
		},
		"an address":        {"[::1]:5000/sk-driver", []string{"[::1]:5000/sk-driver:v1"}, []string{"[::2]:5000/sk-driver"}},
		"an official image": {"busybox", []string{"busybox:1", "library/busybox", "docker.io/library/busybox", "docker.io/busybox"}, []string{"x/busybox"}},
		"a tag":             {"a/b:v1", []string{"a/b:v1"}, []string{"a/b", "a/b:v2", "a/b:v1@" + digest, "a/b:V1"}},
		"a digest":          {"a/b@" + digest, []string{"a/b@" + digest, "a/b:v1@" + digest}, []string{"a/b", "a/b:v1", "a/b@" + other}},
		"both":              {"a/b:v1@" + digest, []string{"a/b:v1@" + digest}, []string{"a/b@" + digest, "a/b:v2@" + digest, "a/b:v1"}},
		"below": {
			"registry.example.com/team/*",
			[]string{"registry.example.com/team/a", "registry.example.com/team/a/b:v1"},
			[]string{"registry.example.com/team", "registry.example.com/teams/a", "registry.example.com/team:v1", "registry.example.com/team/../x"},
		},
		"a whole registry":          {"registry.example.com:5000/*", []string{"registry.example.com:5000/a/b@" + digest}, []string{"registry.example.com/a", "a/b"}},
		"below, without a registry": {"simkube/*", []string{"simkube/a", "docker.io/simkube/a"}, []string{"simkubes/a", "simkube.io/a"}},
		"the whole of docker":       {"docker.io/*", []string{"busybox", "a/b"}, []string{"quay.io/a/b"}},
		"all":                       {"*", []string{"a", "x.example/y:z", "Whatever it is"}, nil},
		"several":                   {"a/b,c/d:1", []string{"a/b:9", "c/d:1"}, []string{"c/d"}},
		"none":                      {"", nil, []string{"a", "simkube/sk-driver", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := ParseImages(strings.FieldsFunc(test.patterns, func(r rune) bool { return r == ',' }))
			if err != nil {
				t.Fatal(err)
			}
			for _, image := range test.allow {
				if !list.Allows(image) {
					t.Errorf("%q is not allowed", image)
				}
			}
			for _, image := range test.deny {
				if list.Allows(image) {
					t.Errorf("%q is allowed", image)
				}
			}
		})
	}
	if (Images{}).Allows("simkube/sk-driver") {
		t.Error("the zero value allows something")
	}
}

func TestParseImages_Wrong(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                                      `"": must be a repository`,
		"a/*b":                                  "must have its * alone, or after the last /",
		"*/b":                                   "must have its * alone, or after the last /",
		"a/**":                                  "must have its * alone, or after the last /",
		"a*":                                    "must have its * alone, or after the last /",
		"/*":                                    "must be a repository",
		"team/Sk-driver":                        "must be a repository",
		"x.example/A":                           "must be a repository",
		"bad_host.example:1/a":                  "must have a registry",
		"bad..host/*":                           "must have a registry",
		"a/b:":                                  "must have a tag",
		"a/b@sha256":                            "must have a digest",
		"x.example/" + strings.Repeat("a", 250): "must be a repository",
	} {
		_, err := ParseImages([]string{"fine/image", pattern})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", pattern, err, want)
		}
	}
}

func TestImages_String(t *testing.T) {
	list, err := ParseImages([]string{"a/b", "*"})
	if err != nil || list.String() != "a/b, *" {
		t.Errorf("got %q, %v", list, err)
	}
}
