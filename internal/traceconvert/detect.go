package traceconvert

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"simkube.io/simkube/trace"
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

// ErrUnknownFormat is returned if the format of a file cannot be converted.
var ErrUnknownFormat = errors.New("neither a trace nor a recording of KWOK or kube-scheduler-simulator")

// Detect detects the format of a file from its first bytes.
func Detect(path string) (_ Format, err error) {
	in, err := openRecording(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	head, err := io.ReadAll(io.LimitReader(in, trace.FormatBytes))
	if err != nil {
		return "", err
	}
	return detect(head)
}

func detect(head []byte) (Format, error) {
	switch f := trace.DetectFormat(head); f {
	case trace.FormatTrace:
		return Trace, nil
	case trace.FormatManifests:
		return KWOK, nil
	case trace.FormatSchedulerSimulator:
		return SchedulerSimulator, nil
	case trace.FormatEmpty:
		return "", errors.New("the file is empty")
	default:
		return "", fmt.Errorf("%w, but %s", ErrUnknownFormat, f.Description())
	}
}

// byteOrderMark is at the start of text written by some editors.
const byteOrderMark = "\ufeff"

// openRecording opens a file. It decompresses it if it is compressed.
func openRecording(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	in, err := trace.Decompress(bufio.NewReaderSize(f, 256<<10))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &recordingFile{Reader: in, file: f}, nil
}

// recordingFile is a file with a decoder.
type recordingFile struct {
	io.Reader
	file *os.File
}

func (f *recordingFile) Close() error { return f.file.Close() }
