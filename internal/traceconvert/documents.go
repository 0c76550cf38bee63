package traceconvert

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"sigs.k8s.io/yaml"
)

// documents reads a stream of YAML documents.
type documents struct {
	in *bufio.Reader
	// line is the number of the next line, from 1.
	line int
	buf  bytes.Buffer
	// begun is what a separator's line contains of the next document; text is a long line.
	begun, text []byte
}

func newDocuments(r io.Reader) *documents {
	return &documents{in: bufio.NewReaderSize(r, 256<<10), line: 1}
}

// next returns the text of the next document with content, valid until the next call, and the line
// on which it begins. It returns io.EOF at the end.
func (d *documents) next() (text []byte, line int, err error) {
	d.buf.Reset()
	d.buf.Write(d.begun)
	d.begun = d.begun[:0]
	line = d.line
	if d.buf.Len() > 0 {
		line-- // its first line has been read
	}
	for {
		part, err := d.readLine()
		separates, rest := separator(part)
		if separates {
			if d.hasContent() {
				d.begun = append(d.begun, rest...)
				return d.buf.Bytes(), line, nil
			}
			d.buf.Reset()
			d.buf.Write(rest)
			line = d.line
			if len(rest) > 0 {
				line--
			}
		} else {
			d.buf.Write(part)
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return nil, line, err
		case d.hasContent():
			return d.buf.Bytes(), line, nil
		default:
			return nil, line, io.EOF
		}
	}
}

// readLine returns the next line, valid until the next call, without a byte order mark, which
// begins each of several files that were concatenated.
func (d *documents) readLine() ([]byte, error) {
	d.text = d.text[:0]
	part, err := d.in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		d.text = append(d.text, part...)
		part, err = d.in.ReadSlice('\n')
	}
	if len(d.text) > 0 {
		d.text = append(d.text, part...)
		part = d.text
	}
	d.line++
	return bytes.TrimPrefix(part, []byte(byteOrderMark)), err
}

// separator reports whether a line ends a document: it begins with "---" or "...". rest is what the
// line contains of the next document.
func separator(line []byte) (separates bool, rest []byte) {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false, nil
	}
	rest = bytes.TrimSpace(line[3:])
	switch {
	case len(rest) == 0 || rest[0] == '#': // also without a space, as for kubectl
		return true, nil
	case line[0] == '-' && (line[3] == ' ' || line[3] == '\t'):
		return true, line[4:]
	}
	return false, nil
}

// hasContent reports whether the document contains more than comments and directives.
func (d *documents) hasContent() bool {
	for line := range bytes.Lines(d.buf.Bytes()) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' && line[0] != '%' {
			return true
		}
	}
	return false
}

// toJSON converts a document that begins at a line to JSON. duplicate says where a key is in a map
// twice, or is empty.
func toJSON(document []byte, line int) (data []byte, duplicate string, err error) {
	data, err = yaml.YAMLToJSONStrict(document)
	if err == nil {
		return data, "", nil
	}
	if at := duplicateKey.FindStringSubmatch(err.Error()); at != nil {
		if data, lenient := yaml.YAMLToJSON(document); lenient == nil {
			n, _ := strconv.Atoi(at[1]) // the expression matches digits
			return data, fmt.Sprintf("line %d: the key %s is there twice", line+n-1, at[2]), nil
		}
	}
	return nil, "", yamlError(err, line)
}

var (
	duplicateKey = regexp.MustCompile(`line (\d+): key (.+) already set in map`)
	yamlLine     = regexp.MustCompile(`\bline (\d+):`)
)

// yamlError returns an error of a document with the lines of the file.
func yamlError(err error, line int) error {
	return errors.New(yamlLine.ReplaceAllStringFunc(err.Error(), func(match string) string {
		n, _ := strconv.Atoi(yamlLine.FindStringSubmatch(match)[1]) // the expression matches digits
		return fmt.Sprintf("line %d:", line+n-1)
	}))
}
