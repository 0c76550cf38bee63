package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
	kjson "sigs.k8s.io/json"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/action"
)

// FileError is an error in a file of hooks.
type FileError struct {
	File string
	Line int    // 0 if the text is not YAML: Err then has the line
	Hook string // for instance preRunHooks[1]; may be empty
	Err  error
}

// Error returns the place, followed by what is wrong.
func (e *FileError) Error() string {
	place := e.File
	if e.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, e.Line)
	}
	if e.Hook != "" {
		place += ": " + e.Hook
	}
	return place + ": " + e.Err.Error()
}

// Unwrap returns what is wrong, without the place.
func (e *FileError) Unwrap() error { return e.Err }

// ReadFiles reads files of hooks and concatenates their lists, in the order of the paths. A file
// may be empty. An error in the text of a file is a *[FileError].
func ReadFiles(paths ...string) (*simkubev1.SimulationHooks, error) {
	all := &simkubev1.SimulationHooks{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read hooks: %w", err)
		}
		hooks, err := Parse(path, data)
		if err != nil {
			return nil, err
		}
		all.PreStartHooks = append(all.PreStartHooks, hooks.PreStartHooks...)
		all.PreRunHooks = append(all.PreRunHooks, hooks.PreRunHooks...)
		all.PostRunHooks = append(all.PostRunHooks, hooks.PostRunHooks...)
		all.PostStopHooks = append(all.PostStopHooks, hooks.PostStopHooks...)
	}
	return all, nil
}

// Parse reads the text of one file of hooks. The name is used in errors only.
func Parse(name string, data []byte) (*simkubev1.SimulationHooks, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	hooks := &simkubev1.SimulationHooks{}
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return hooks, nil
	} else if err != nil {
		return nil, &FileError{File: name, Err: err}
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, &FileError{File: name, Line: second.Line, Err: errors.New("a second document begins here; put it into another file")}
	} else if !errors.Is(err, io.EOF) {
		return nil, &FileError{File: name, Err: err}
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return hooks, nil
	}
	if err := parseRoot(name, doc.Content[0], hooks); err != nil {
		return nil, err
	}
	return hooks, nil
}

func parseRoot(name string, root *yaml.Node, hooks *simkubev1.SimulationHooks) error {
	if root.Kind != yaml.MappingNode {
		return &FileError{File: name, Line: root.Line, Err: errors.New("a file of hooks holds the lists preStartHooks, preRunHooks, postRunHooks and postStopHooks")}
	}
	lists := map[string]*[]simkubev1.SimulationHook{
		"preStartHooks": &hooks.PreStartHooks, "preRunHooks": &hooks.PreRunHooks,
		"postRunHooks": &hooks.PostRunHooks, "postStopHooks": &hooks.PostStopHooks,
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], resolve(root.Content[i+1])
		list := lists[key.Value]
		switch {
		case list == nil:
			return &FileError{File: name, Line: key.Line, Err: fmt.Errorf("unknown field %q; use preStartHooks, preRunHooks, postRunHooks or postStopHooks", key.Value)}
		case seen[key.Value]:
			return &FileError{File: name, Line: key.Line, Err: fmt.Errorf("%s is set twice; put its hooks into one list", key.Value)}
		case isNull(value):
		case value.Kind != yaml.SequenceNode:
			return &FileError{File: name, Line: value.Line, Hook: key.Value, Err: errors.New("must be a list; begin each hook with \"- \"")}
		}
		seen[key.Value] = true
		for j, item := range value.Content {
			hook, err := parseHook(item)
			if err != nil {
				return &FileError{File: name, Line: item.Line, Hook: fmt.Sprintf("%s[%d]", key.Value, j), Err: err}
			}
			*list = append(*list, hook)
		}
	}
	return nil
}

func parseHook(node *yaml.Node) (simkubev1.SimulationHook, error) {
	var hook simkubev1.SimulationHook
	if resolve(node).Kind != yaml.MappingNode {
		return hook, errors.New("must be a mapping, for instance {cmd: echo, args: [hello]}")
	}
	var value any
	if err := node.Decode(&value); err != nil {
		return hook, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return hook, fmt.Errorf("%w; write keys as strings", err)
	}
	strict, err := kjson.UnmarshalStrict(text, &hook)
	if err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return hook, fmt.Errorf("%s must be a %s, not a %s; quote strings", wrong.Field, wrong.Type, wrong.Value)
		}
		return hook, err
	}
	if len(strict) > 0 {
		return hook, fmt.Errorf("%w; take it out or correct its name", strict[0])
	}
	// The API server rejects most of what is invalid too, but later, and without a line.
	_, err = action.New(hook)
	return hook, err
}

func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }
