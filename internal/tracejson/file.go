package tracejson

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"simkube.io/simkube/trace"
)

// IsJSON reports whether a file contains the JSON of a trace, which may be compressed. A file that
// cannot be read or decompressed does not: reading it as a trace gives the error.
func IsJSON(path string) bool {
	in, err := os.Open(path)
	if err != nil {
		return false
	}
	defer in.Close()
	plain, err := trace.Decompress(bufio.NewReader(in))
	if err != nil {
		return false
	}
	head, _ := io.ReadAll(io.LimitReader(plain, trace.FormatBytes)) // what could be read is enough
	return trace.DetectFormat(head) == trace.FormatJSON
}

// DecodeFile is [Decode] of a file, which may be compressed, to another file. The progress counts
// the bytes of the file.
func DecodeFile(ctx context.Context, input, output string, opts DecodeOptions) (_ Decoded, err error) {
	in, err := os.Open(input)
	if err != nil {
		return Decoded{}, err
	}
	defer in.Close()
	plain, err := trace.Decompress(bufio.NewReaderSize(&source{ctx: ctx, r: in, progress: opts.Progress}, inputBuffer))
	if err != nil {
		return Decoded{}, err
	}
	out, err := os.Create(output)
	if err != nil {
		return Decoded{}, fmt.Errorf("create the trace: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if opts.SpoolDir == "" {
		opts.SpoolDir = filepath.Dir(output)
	}
	opts.Progress = nil
	decoded, err := Decode(ctx, plain, out, opts)
	if err != nil {
		return decoded, err
	}
	if err := out.Sync(); err != nil {
		return decoded, fmt.Errorf("write the trace: %w", err)
	}
	return decoded, nil
}
