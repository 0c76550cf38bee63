package nodes

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// MaxNodes is the maximum number of nodes of a simulation. One process that runs the whole control
// plane is not suited to more.
const MaxNodes = 5000

const (
	specAuto     = "auto"
	specRecorded = "recorded"
)

// Spec describes the nodes of a simulation. The zero value is auto with the default shape.
//
// At most one of Count, File and Recorded is set; if none is, the number is derived from the trace
// ("auto"). Shape applies to Count and to auto, and to recorded nodes whose size is not known; it
// is ignored for a file.
type Spec struct {
	Count int
	File  string
	// Recorded means the nodes of the trace, and no others.
	Recorded bool
	Shape    Shape
}

// Auto reports whether the number of nodes is derived from the trace.
func (s Spec) Auto() bool { return s.Count == 0 && s.File == "" && !s.Recorded }

// ParseSpec parses the values of --nodes and --node-shape. The first must be auto (or empty),
// recorded, a number from 1 to MaxNodes, or the path of a file of manifests, which is not opened. A
// file whose name is a number, "auto" or "recorded" is written ./auto. A shape for a file is an
// error, since it would have no effect.
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
	if nodes == specRecorded {
		spec.Recorded = true
		return spec, nil
	}
	if !looksLikeNumber(nodes) {
		if shape != "" {
			return Spec{}, fmt.Errorf("a node shape cannot be set for nodes from the file %s: it applies to a number of nodes or auto", nodes)
		}
		spec.File = nodes
		return spec, nil
	}
	count, err := strconv.Atoi(nodes)
	if err != nil || count < 1 || count > MaxNodes {
		return Spec{}, fmt.Errorf("invalid nodes %q: must be a number from 1 to %d, the path of a file of Node manifests, recorded, or auto", nodes, MaxNodes)
	}
	spec.Count = count
	return spec, nil
}

// looksLikeNumber reports whether a text is a number or a mistyped one (-3, 1e9, 12x) rather than a
// path, so that the error is not about a missing file.
func looksLikeNumber(s string) bool {
	if strings.ContainsAny(s, "/\\") || filepath.Ext(s) != "" && strings.ContainsAny(filepath.Ext(s), "yjl") {
		return false
	}
	return s[0] >= '0' && s[0] <= '9' || s[0] == '-' || s[0] == '+'
}

// String returns the value of --nodes: auto, recorded, the number, or the path.
func (s Spec) String() string {
	switch {
	case s.Recorded:
		return specRecorded
	case s.File == specAuto || s.File == specRecorded || s.File != "" && looksLikeNumber(s.File):
		return "./" + s.File
	case s.File != "":
		return s.File
	case s.Count != 0:
		return strconv.Itoa(s.Count)
	}
	return specAuto
}

// specJSON is the JSON form of a Spec: the values of both flags.
type specJSON struct {
	Nodes string `json:"nodes"`
	Shape string `json:"shape,omitempty"`
}

// MarshalJSON returns {"nodes": "...", "shape": "..."} with the values of the flags.
func (s Spec) MarshalJSON() ([]byte, error) {
	out := specJSON{Nodes: s.String()}
	if s.File == "" {
		out.Shape = s.Shape.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON parses the form of MarshalJSON. Its errors are those of [ParseSpec].
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
