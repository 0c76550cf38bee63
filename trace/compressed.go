package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the largest window of a zstd file that is read, the same as the default limit of
// the program zstd. It bounds the memory that decompression needs.
const maxZstdWindow = 128 << 20

// Decompress returns a reader of the decompressed data if r is compressed with gzip or zstd, and
// otherwise a reader of the same data as r. It streams: memory does not grow with the data.
func Decompress(r io.Reader) (io.Reader, error) {
	var head [4]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), r)
	if f := DetectFormat(head[:n]); f == FormatGzip || f == FormatZstd {
		return decompressor(f, whole)
	}
	return whole, nil
}

// decompressor returns a reader of the data compressed in a format.
func decompressor(f Format, r io.Reader) (io.Reader, error) {
	d := &decompressReader{format: f}
	var err error
	if f == FormatGzip {
		d.r, err = gzip.NewReader(r)
	} else {
		// Without concurrency, the decoder starts no goroutines and need not be closed. Data that is
		// small must not be decompressed in memory at once, because it may become large.
		d.r, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecodeBuffersBelow(0))
	}
	return d, d.explained(err)
}

// decompressReader explains the errors of a decompressor.
type decompressReader struct {
	format Format
	r      io.Reader
}

// Read implements [io.Reader].
func (d *decompressReader) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	return n, d.explained(err)
}

func (d *decompressReader) explained(err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return classed(ErrTruncated, "the data compressed with %s ends early", d.format)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("decompress: %w: at most %d MiB are read", err, maxZstdWindow>>20)
	}
	return fmt.Errorf("decompress: %w", err)
}

// plain begins to read the decompressed data of a compressed trace.
func (r *Reader) plain(f Format) *FormatError {
	if r.compression != "" {
		return r.foreign(f)
	}
	in := &r.scan.input
	sources := []io.Reader{bytes.NewReader(bytes.Clone(in.buf))}
	if in.err == nil {
		sources = append(sources, in.src)
	} else if !in.truncated() {
		sources = append(sources, failing{in.err})
	}
	src, err := decompressor(f, io.MultiReader(sources...))
	if err != nil {
		return &FormatError{Msg: err.Error(), Err: &sourceError{err}}
	}
	r.compression = f
	r.scan = scanner{input: input{src: src}}
	return nil
}

// failing is a source that ended with an error.
type failing struct{ err error }

// Read implements [io.Reader].
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// foreign returns the error for an input that is not a trace.
func (r *Reader) foreign(f Format) *FormatError {
	if f == FormatTrace || f == FormatUnknown {
		return r.scan.want("a trace, which is a map (version 2) or an array (version 1)", 0)
	}
	return &FormatError{Msg: "want a trace, got " + f.Description(), Err: &NotTraceError{f}}
}
