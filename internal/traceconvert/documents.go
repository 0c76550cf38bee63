package traceconvert

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"sigs.k8s.io/yaml"
)

// documents reads a stream of YAML documents.
type documents struct {
	in *bufio.Reader
	// line is the number of the next line, from 1.
	line int
	buf  bytes.Buffer
}

func newDocuments(r io.Reader) *documents {
	return &documents{in: bufio.NewReaderSize(r, 256<<10), line: 1}
}

// next returns the text of the next document with content, valid until the next call, and the line
// on which it begins. It returns io.EOF at the end.
func (d *documents) next() (text []byte, line int, err error) {
	d.buf.Reset()
	line = d.line
	for {
		part, err := d.in.ReadSlice('\n')
		if d.line == 1 {
			part = bytes.TrimPrefix(part, []byte(byteOrderMark))
		}
		if isSeparator(part) {
			for errors.Is(err, bufio.ErrBufferFull) { // followed by a comment
				_, err = d.in.ReadSlice('\n')
			}
			d.line++
			if d.hasContent() {
				return d.buf.Bytes(), line, nil
			}
			d.buf.Reset()
			line = d.line
		} else {
			d.buf.Write(part)
			for errors.Is(err, bufio.ErrBufferFull) {
				part, err = d.in.ReadSlice('\n')
				d.buf.Write(part)
			}
			d.line++
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

// isSeparator reports whether a line ends a document: it begins with "---" or "...", followed by
// white space or nothing.
func isSeparator(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	rest := line[3:]
	return len(bytes.TrimSpace(rest)) == 0 || rest[0] == ' ' && bytes.HasPrefix(bytes.TrimSpace(rest), []byte("#"))
}

// hasContent reports whether the document contains more than comments.
func (d *documents) hasContent() bool {
	for line := range bytes.Lines(d.buf.Bytes()) {
		if text := bytes.TrimSpace(line); len(text) > 0 && text[0] != '#' {
			return true
		}
	}
	return false
}

func toJSON(document []byte) ([]byte, error) { return yaml.YAMLToJSON(document) }
