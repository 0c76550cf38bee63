package traceconvert

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Format is a format of recordings.
type Format string

// The formats.
const (
	// Trace is a trace of either version.
	Trace Format = "trace"
	// KWOK is the YAML format of kwokctl.
	KWOK Format = "kwok"
	// SchedulerSimulator is the JSON format of kube-scheduler-simulator.
	SchedulerSimulator Format = "kss"
)

// ErrUnknownFormat is returned if the format of a file cannot be detected.
var ErrUnknownFormat = errors.New("neither a trace nor a recording of KWOK or kube-scheduler-simulator")

// detectBytes is the number of bytes of a file that are examined.
const detectBytes = 64 << 10

// Detect detects the format of a file from its first bytes.
func Detect(path string) (_ Format, err error) {
	in, err := openRecording(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	head, err := io.ReadAll(io.LimitReader(in, detectBytes))
	if err != nil {
		return "", err
	}
	return detect(head)
}

func detect(head []byte) (Format, error) {
	if len(head) == 0 {
		return "", errors.New("the file is empty")
	}
	switch c := head[0]; {
	case c >= 0x80 && c <= 0x9f, c >= 0xdc && c <= 0xdf: // maps and arrays in MessagePack
		return Trace, nil
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte(byteOrderMark)), " \t\r\n[")
	switch {
	case bytes.HasPrefix(text, []byte("{")) && bytes.Contains(text, []byte(`"event"`)) && bytes.Contains(text, []byte(`"resource"`)):
		return SchedulerSimulator, nil
	case bytes.Contains(text, []byte("kind:")) && bytes.Contains(text, []byte("apiVersion:")):
		return KWOK, nil
	case bytes.HasPrefix(text, []byte("{")) && bytes.Contains(text, []byte(`"kind"`)):
		return KWOK, nil // JSON is YAML
	}
	return "", ErrUnknownFormat
}

// byteOrderMark is at the start of text written by some editors.
const byteOrderMark = "\ufeff"

// openRecording opens a file. It decompresses it if it is compressed.
func openRecording(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	in, err := decompress(bufio.NewReaderSize(f, 256<<10))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &recordingFile{Reader: in, file: f}, nil
}

func decompress(in *bufio.Reader) (io.Reader, error) {
	magic, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		return z, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// Without concurrency, the decoder need not be closed.
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		return z, nil
	}
	return in, nil
}

// recordingFile is a file with a decoder.
type recordingFile struct {
	io.Reader
	file *os.File
}

func (f *recordingFile) Close() error { return f.file.Close() }
