package instancetypes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"simkube.io/simkube/internal/words"
)

// decodeFile decodes a file with one document, in YAML or JSON, without the types in it.
func decodeFile(data []byte, into *file) error {
	if json.Valid(data) {
		// Outside of strings, which cannot have any, tabs are spaces. The YAML parser accepts none.
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty")
		}
		return plain(err)
	}
	if err := decodeStrictly(document.Content[0], into); err != nil {
		return err
	}
	if err := decoder.Decode(&document); !errors.Is(err, io.EOF) {
		return errors.New("it has more than one document: must be one")
	}
	return nil
}

// decodeStrictly decodes a node without unknown fields. The errors begin with "line N: ", if the
// line is known.
func decodeStrictly(node *yaml.Node, into any) error {
	if err := unknownFields(node, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	return plain(node.Decode(into))
}

// unknownFields returns an error for the fields of a node that a struct does not have.
func unknownFields(node *yaml.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	var problems []error
	switch {
	case t == reflect.TypeFor[yaml.Node]():
	case t.Kind() == reflect.Slice && node.Kind == yaml.SequenceNode:
		for _, element := range node.Content {
			problems = append(problems, unknownFields(element, t.Elem()))
		}
	case t.Kind() == reflect.Struct && node.Kind == yaml.MappingNode:
		known := fields(t)
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			if j := slices.IndexFunc(known, func(f field) bool { return f.name == key.Value }); j >= 0 {
				problems = append(problems, unknownFields(value, known[j].of))
			} else if key.Tag != "!!merge" {
				names := make([]string, 0, len(known))
				for _, f := range known {
					names = append(names, f.name)
				}
				problems = append(problems, fmt.Errorf("line %d: unknown field %q: must be %s", key.Line, key.Value, words.Or(names...)))
			}
		}
	}
	return errors.Join(problems...)
}

// field is a field of a struct by its name in YAML.
type field struct {
	name string
	of   reflect.Type
}

func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			out = append(out, fields(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		out = append(out, field{name, f.Type})
	}
	return out
}

// plain returns an error of the YAML parser with a line for each problem.
func plain(err error) error {
	if typeError, ok := errors.AsType[*yaml.TypeError](err); ok {
		problems := make([]error, 0, len(typeError.Errors))
		for _, text := range typeError.Errors {
			problems = append(problems, errors.New(wrongKind.ReplaceAllStringFunc(text, explainKind)))
		}
		return errors.Join(problems...)
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return nil
}

// wrongKind matches what the YAML parser says about a value of the wrong kind.
var wrongKind = regexp.MustCompile("cannot unmarshal !!\\w+(?: `(.*)`)? into (\\S+)")

// explainKind says it without Go's types.
func explainKind(text string) string {
	match := wrongKind.FindStringSubmatch(text)
	must := "a mapping of fields"
	switch {
	case strings.HasPrefix(match[2], "[]"):
		must = "a list"
	case match[2] == "float64":
		must = "a number"
	case match[2] == "bool":
		must = "true or false"
	case match[2] == "string":
		must = "text"
	}
	if match[1] == "" {
		return "invalid value: must be " + must
	}
	return fmt.Sprintf("invalid value %q: must be %s", match[1], must)
}

var lineOf = regexp.MustCompile(`^line (\d+): `)

// inFile puts the name of the file and the line before each problem. Those without a line of their
// own have the given one, unless it is 0.
func inFile(name string, line int, err error) error {
	var problems []error
	for text := range strings.Lines(err.Error()) {
		text, at := strings.TrimSuffix(text, "\n"), line
		if match := lineOf.FindStringSubmatch(text); match != nil {
			at, _ = strconv.Atoi(match[1])
			text = text[len(match[0]):]
		}
		if at > 0 {
			text = strconv.Itoa(at) + ": " + text
		} else {
			text = " " + text
		}
		problems = append(problems, errors.New(name+":"+text))
	}
	return errors.Join(problems...)
}
