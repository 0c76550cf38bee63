package watch

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var framings = map[string]struct {
	text string
	want []string
	err  error
}{
	"nothing":         {"", nil, io.EOF},
	"lines":           {"{1}\n{2}\n", []string{"{1}", "{2}"}, io.EOF},
	"carriage return": {"{1}\r\n{2}\r\n", []string{"{1}", "{2}"}, io.EOF},
	"empty lines":     {"\n\n{1}\n \n{2}\n\n", []string{"{1}", "{2}"}, io.EOF},
	"no end of line":  {"{1}\n{2}", []string{"{1}"}, io.ErrUnexpectedEOF},
	"long lines": {
		strings.Repeat("a", readSize) + "\n" + strings.Repeat("b", 3*readSize+1) + "\nc\n",
		[]string{strings.Repeat("a", readSize), strings.Repeat("b", 3*readSize+1), "c"},
		io.EOF,
	},
	"long line without end": {strings.Repeat("a", 2*readSize), nil, io.ErrUnexpectedEOF},
}

func TestFrameReader(t *testing.T) {
	for name, test := range framings {
		for how, reader := range map[string]io.Reader{
			"at once":     strings.NewReader(test.text),
			"byte by one": iotest.OneByteReader(strings.NewReader(test.text)),
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				got, err := frames(reader)
				if !slices.Equal(got, test.want) || !errors.Is(err, test.err) {
					t.Errorf("got %d frames and %v, want %d and %v", len(got), err, len(test.want), test.err)
				}
			})
		}
	}
}

// frames reads all frames there are, up to an error.
func frames(r io.Reader) ([]string, error) { return allFrames(&frameReader{}, r) }

func allFrames(f *frameReader, r io.Reader) ([]string, error) {
	f.reset(r)
	var all []string
	for {
		line, err := f.next()
		if err != nil {
			return all, err
		}
		all = append(all, string(line))
	}
}

func TestFrameReader_TooLong(t *testing.T) {
	text := strings.Repeat("a", readSize)
	parts := make([]io.Reader, maxFrame/readSize+1)
	for i := range parts {
		parts[i] = strings.NewReader(text)
	}
	if _, err := frames(io.MultiReader(parts...)); !errors.Is(err, errTooLong) {
		t.Errorf("got error %v, want %v", err, errTooLong)
	}
}

func TestFrameReader_GivesLargeBuffersBack(t *testing.T) {
	var f frameReader
	f.reset(strings.NewReader(strings.Repeat("a", 4*keepFrame) + "\nb\n"))
	for range 2 {
		if _, err := f.next(); err != nil {
			t.Fatal(err)
		}
	}
	if got := cap(f.long); got > keepFrame {
		t.Errorf("got a buffer of %d bytes kept, want at most %d", got, keepFrame)
	}
}

// FuzzFrameReader compares the reader with a split of the whole text.
func FuzzFrameReader(f *testing.F) {
	for _, test := range framings {
		f.Add([]byte(test.text[:min(len(test.text), 100)]))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want []string
		lines := bytes.Split(text, []byte("\n"))
		for _, line := range lines[:len(lines)-1] {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				want = append(want, string(line))
			}
		}
		wantErr := io.EOF
		if len(lines[len(lines)-1]) > 0 {
			wantErr = io.ErrUnexpectedEOF
		}
		// The buffer is so small that most lines exceed it.
		got, err := allFrames(&frameReader{reader: bufio.NewReaderSize(nil, 16)}, bytes.NewReader(text))
		if !slices.Equal(got, want) || !errors.Is(err, wantErr) {
			t.Errorf("got %q and %v, want %q and %v", got, err, want, wantErr)
		}
	})
}
