package xray

import (
	"fmt"
	"slices"
	"strings"

	"simkube.io/simkube/trace"
)

// manifest returns the lines of an object as YAML, clean.
func manifest(obj *trace.Object) ([]string, error) {
	tree, err := obj.Unstructured()
	if err != nil {
		return nil, fmt.Errorf("decode the object: %w", err)
	}
	var w yamlWriter
	w.value("", 0, tree.Object)
	return w.lines, nil
}

// pathAt returns the keys above a line of YAML, outermost first, by their indentation.
func pathAt(lines []string, at int) []string {
	var path []string
	want := yamlIndent(lines[at])
	for i := at - 1; i >= 0 && want > 0; i-- {
		key, _, ok := yamlKey(lines[i])
		if indent := yamlIndent(lines[i]); ok && indent < want {
			want = indent
			path = append(path, strings.Trim(key, `"'`))
		}
	}
	slices.Reverse(path)
	return path
}

// yamlIndent returns where the content of a line begins. A dash is part of the indentation: the
// keys of a list's element have the level of the key after the dash.
func yamlIndent(s string) int { return len(s) - len(strings.TrimLeft(s, " -")) }

// yamlKey splits a line after its key. It is for colours and headings: in a text of several lines
// it may find a key where there is none.
func yamlKey(s string) (key, rest string, ok bool) {
	s = s[yamlIndent(s):]
	end := strings.IndexByte(s, ':')
	if quote := strings.IndexAny(s, `"'`); quote == 0 {
		if end = strings.Index(s[1:], s[:1]+":"); end >= 0 {
			end += 2
		}
	}
	if end <= 0 || end+1 < len(s) && s[end+1] != ' ' || s[0] != '"' && strings.Contains(s[:end], " ") {
		return "", s, false
	}
	return s[:end], s[end:], true
}

// yamlLine returns a line of YAML with roles.
func yamlLine(s string) line {
	key, rest, ok := yamlKey(s)
	if !ok {
		return of(rolePlain, s)
	}
	var l line
	l.add(rolePlain, s[:yamlIndent(s)])
	l.add(roleField, key)
	l.add(rolePlain, rest)
	return l
}
