package nodes

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// MaxNodes is the largest number of nodes a simulation may have. Beyond it one process that holds the whole
// control plane is no longer the right tool.
const MaxNodes = 5000

const specAuto = "auto"

// Spec says which nodes a simulation gets. The zero value is auto with the default shape.
//
// At most one of Count and File is set; with neither, the number comes from the trace ("auto"). Shape describes
// the nodes of a count and of auto and is not looked at for a file.
type Spec struct {
	Count int
	File  string
	Shape Shape
}

// Auto tells whether the number of nodes is to come from the trace.
func (s Spec) Auto() bool { return s.Count == 0 && s.File == "" }

// ParseSpec reads the values of --nodes and --node-shape. The first is auto (or empty), a number from 1 to
// MaxNodes, or else the path of a file of manifests; the file is not opened. A file named like a number or "auto"
// is written ./auto. A shape beside a file is an error: it would have no effect.
func ParseSpec(nodes, shape string) (Spec, error) {
	parsed, err := ParseShape(shape)
	if err != nil {
		return Spec{}, err
	}
	spec := Spec{Shape: parsed}
	nodes = strings.TrimSpace(nodes)
	if nodes == "" || nodes == specAuto {
		return spec, nil
	}
	if !looksLikeNumber(nodes) {
		if shape != "" {
			return Spec{}, fmt.Errorf("nodes from the file %s bring their own sizes: a node shape goes with a number of nodes or auto", nodes)
		}
		spec.File = nodes
		return spec, nil
	}
	count, err := strconv.Atoi(nodes)
	if err != nil || count < 1 || count > MaxNodes {
		return Spec{}, fmt.Errorf("nodes %q: accepted are a number from 1 to %d, the path of a file of Node manifests, or auto", nodes, MaxNodes)
	}
	spec.Count = count
	return spec, nil
}

// looksLikeNumber tells a mistyped number (-3, 1e9, 12x) from a path, so that it is not taken for a missing file.
func looksLikeNumber(s string) bool {
	if strings.ContainsAny(s, "/\\") || filepath.Ext(s) != "" && strings.ContainsAny(filepath.Ext(s), "yjl") {
		return false
	}
	return s[0] >= '0' && s[0] <= '9' || s[0] == '-' || s[0] == '+'
}

// String gives the text of --nodes: auto, the number, or the path.
func (s Spec) String() string {
	switch {
	case s.File == specAuto || s.File != "" && looksLikeNumber(s.File):
		return "./" + s.File
	case s.File != "":
		return s.File
	case s.Count != 0:
		return strconv.Itoa(s.Count)
	}
	return specAuto
}

// specJSON is a Spec as it is written: both flags as the user would type them.
type specJSON struct {
	Nodes string `json:"nodes"`
	Shape string `json:"shape,omitempty"`
}

// MarshalJSON writes {"nodes": "...", "shape": "..."} with the texts of the flags.
func (s Spec) MarshalJSON() ([]byte, error) {
	out := specJSON{Nodes: s.String()}
	if s.File == "" {
		out.Shape = s.Shape.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes; errors are those of [ParseSpec].
func (s *Spec) UnmarshalJSON(data []byte) error {
	var in specJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("decode nodes: %w", err)
	}
	spec, err := ParseSpec(in.Nodes, in.Shape)
	if err != nil {
		return err
	}
	*s = spec
	return nil
}
