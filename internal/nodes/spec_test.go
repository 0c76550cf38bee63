package nodes

import (
	"encoding/json"
	"testing"
)

func TestParseSpec(t *testing.T) {
	tests := []struct {
		nodes, shape string
		want         string // as JSON
	}{
		{"", "", `{"nodes":"auto","shape":"cpu=32,memory=128Gi,pods=110"}`},
		{"auto", "cpu=4", `{"nodes":"auto","shape":"cpu=4,memory=128Gi,pods=110"}`},
		{"14", "", `{"nodes":"14","shape":"cpu=32,memory=128Gi,pods=110"}`},
		{"nodes.yaml", "", `{"nodes":"nodes.yaml"}`},
		{"./auto", "", `{"nodes":"./auto"}`},
		{"recorded", "", `{"nodes":"recorded","shape":"cpu=32,memory=128Gi,pods=110"}`},
		{"./recorded", "", `{"nodes":"./recorded"}`},
		{"./14", "", `{"nodes":"./14"}`},
		{"2026-nodes.json", "", `{"nodes":"2026-nodes.json"}`},
	}
	for _, test := range tests {
		t.Run(test.nodes, func(t *testing.T) {
			spec, err := ParseSpec(test.nodes, test.shape)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != test.want {
				t.Errorf("got %s, want %s", text, test.want)
			}
			var again Spec
			if err := json.Unmarshal(text, &again); err != nil {
				t.Fatal(err)
			}
			if again.Count != spec.Count || again.File != spec.File || again.Auto() != spec.Auto() || again.Recorded != spec.Recorded || again.Shape.String() != spec.Shape.String() {
				t.Errorf("got %+v after a round trip, want %+v", again, spec)
			}
		})
	}
}

func TestParseSpec_Errors(t *testing.T) {
	const invalid = `: must be a number from 1 to 5000, the path of a file of Node manifests, recorded, or auto`
	tests := []struct {
		nodes, shape, want string
	}{
		{"0", "", `invalid nodes "0"` + invalid},
		{"-3", "", `invalid nodes "-3"` + invalid},
		{"5001", "", `invalid nodes "5001"` + invalid},
		{"12x", "", `invalid nodes "12x"` + invalid},
		{"1e3", "", `invalid nodes "1e3"` + invalid},
		{"nodes.yaml", "cpu=4", `a node shape cannot be set for nodes from the file nodes.yaml: it applies to a number of nodes or auto`},
		{"3", "cpu", `node shape "cpu", at character 1, "cpu": no value; must be NAME=VALUE, such as cpu=32`},
	}
	for _, test := range tests {
		t.Run(test.nodes, func(t *testing.T) {
			_, err := ParseSpec(test.nodes, test.shape)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestSpec_ZeroIsAuto(t *testing.T) {
	if spec := (Spec{}); !spec.Auto() || spec.String() != "auto" {
		t.Errorf("got %s, want auto", spec)
	}
}
