package skel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// scriptCase is one program with its expected outcome; see testdata/conformance/README.md.
type scriptCase struct {
	// place is the file and line of the case.
	place, name string
	program     string
	input, want *world
	// failure holds what the error must contain. If it is not empty, there must be an error.
	failure []string
	// counts holds the expected "events objects fields deleted" of each command, if they are checked.
	counts []string
	// holds is set for cases of a table of selectors: whether the last object must get the field
	// "holds".
	holds *bool
}

// section is "name: inline" with the indented lines below it, without two spaces of indentation.
type section struct {
	line         int
	name, inline string
	body         []string
}

// text returns the content of a section, from either form.
func (s *section) text() string {
	if s.inline != "" {
		return s.inline
	}
	return strings.TrimRight(strings.Join(s.body, "\n"), "\n")
}

// entries returns the lines of a section that are neither blank nor comments.
func (s *section) entries() []string {
	var lines []string
	for _, line := range append([]string{s.inline}, s.body...) {
		if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.HasPrefix(trimmed, "# ") {
			lines = append(lines, trimmed)
		}
	}
	return lines
}

var sectionLine = regexp.MustCompile(`^([a-z]+):(?: (.*))?$`)

// conformanceCases reads all scripts.
func conformanceCases(t testing.TB) []scriptCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "conformance", "*.skelt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: got %v, %v, want some", files, err)
	}
	var all []scriptCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := parseScript(filepath.Base(file), string(text), 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cases...)
	}
	return all
}

// parseScript parses the cases of a script. before is the number of lines of the file before the
// text.
func parseScript(file, text string, before int) ([]scriptCase, error) {
	var (
		cases    []scriptCase
		name     string
		start    int
		sections []section
		previous *world
	)
	finish := func() error {
		if name == "" {
			return nil
		}
		found, err := sectionsToCases(name, sections, &previous)
		for i := range found {
			found[i].place = fmt.Sprintf("%s:%d", file, start)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %s: %w", file, start, name, err)
		}
		cases = append(cases, found...)
		return nil
	}
	for i, line := range strings.Split(text, "\n") {
		n := before + i + 1
		title, isTitle := strings.CutPrefix(line, "--- ")
		match := sectionLine.FindStringSubmatch(line)
		switch {
		case isTitle:
			if err := finish(); err != nil {
				return nil, err
			}
			name, start, sections = title, n, nil
		case strings.HasPrefix(line, "#"), name == "" && line == "":
		case match != nil && name != "":
			sections = append(sections, section{line: n, name: match[1], inline: match[2]})
		case len(sections) > 0 && (line == "" || strings.HasPrefix(line, "  ")):
			last := &sections[len(sections)-1]
			last.body = append(last.body, strings.TrimPrefix(line, "  "))
		case line == "":
		default:
			return nil, fmt.Errorf("%s:%d: want a title, a section or an indented line, got %q", file, n, line)
		}
	}
	return cases, finish()
}

// sectionsToCases returns the cases of one title: one, or one for each line of its tables.
func sectionsToCases(name string, sections []section, previous **world) ([]scriptCase, error) {
	c := scriptCase{name: name}
	var table []scriptCase
	side := &c.input
	for i := range sections {
		s := &sections[i]
		var err error
		switch s.name {
		case "program":
			c.program = s.text()
		case "quoted":
			c.program, err = strconv.Unquote(s.text())
		case "input":
			c.input, err = parseWorld(s, *previous)
			*previous, side = c.input, &c.input
		case "output":
			c.want, err = parseWorld(s, c.input)
			side = &c.want
		case "object":
			c.input, err = parseWorld(&section{body: []string{"@1000", "+ " + s.inline}}, nil)
			for _, line := range s.body {
				c.input = nil
				return nil, fmt.Errorf("object: one line is enough, got %q", line)
			}
		case "lifecycles", "pods", "index", "config":
			if *side == nil {
				return nil, fmt.Errorf("%s: stands before any input", s.name)
			}
			err = (*side).add(s)
		case "counts":
			c.counts = s.entries()
		case "error":
			c.failure = s.entries()
		case "holds", "fails", "breaks", "errors":
			var more []scriptCase
			more, err = tableCases(name, s, c.input)
			table = append(table, more...)
		default:
			err = fmt.Errorf("section %q is not known", s.name)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", s.line, s.name, err)
		}
	}
	switch {
	case table != nil:
		return table, nil
	case c.input == nil:
		return nil, fmt.Errorf("there is no input")
	case c.want == nil && c.failure == nil:
		return nil, fmt.Errorf("there is neither output nor error")
	}
	return []scriptCase{c}, nil
}

// tableCases returns a case for each line of a table.
func tableCases(name string, s *section, input *world) ([]scriptCase, error) {
	var cases []scriptCase
	for i, line := range s.entries() {
		c := scriptCase{name: fmt.Sprintf("%s/%s/%s", name, s.name, line), input: input}
		switch s.name {
		case "errors":
			place, program, ok := strings.Cut(line, " | ")
			if !ok {
				return nil, fmt.Errorf("entry %d: want LINE:COLUMN WORDS | PROGRAM, got %q", i+1, line)
			}
			c.failure = strings.Fields(place)
			c.program = program
			if strings.HasPrefix(program, `"`) {
				var err error
				if c.program, err = strconv.Unquote(program); err != nil {
					return nil, fmt.Errorf("entry %d: %w", i+1, err)
				}
			}
			if c.input == nil {
				c.input = &world{}
			}
		case "breaks":
			selector, words, ok := strings.Cut(line, " => ")
			if !ok {
				return nil, fmt.Errorf("entry %d: want SELECTOR => WORDS, got %q", i+1, line)
			}
			c.failure = strings.Fields(words)
			c.program = "modify(" + strings.TrimSpace(selector) + ", holds = true);"
		default:
			holds := s.name == "holds"
			c.holds = &holds
			c.program = "modify(" + line + ", holds = true);"
		}
		if c.input == nil {
			return nil, fmt.Errorf("there is no object and no input")
		}
		cases = append(cases, c)
	}
	return cases, nil
}
