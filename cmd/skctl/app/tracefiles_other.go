package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/tracejson"
	"simkube.io/simkube/trace"
)

// converted replaces a file with a trace as JSON by a trace.
func (p *program) converted(ctx context.Context, file *inputFile) (*inputFile, error) {
	return p.replaced(file, func(path string) error {
		decoded, err := p.decodeTrace(ctx, file, path)
		if err == nil && decoded.NoLifecycles {
			p.warnf("%s: %s", file.Name, noLifecycles)
		}
		return err
	})
}

// decompressed replaces a compressed file by the data in it, for commands that read a trace from
// the middle.
func (p *program) decompressed(ctx context.Context, file *inputFile) (*inputFile, error) {
	in, err := os.Open(file.Path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file.Name, reason(err)), file.Close())
	}
	defer in.Close()
	head := make([]byte, 4)
	n, _ := io.ReadFull(in, head) // a shorter file is not compressed
	if f := trace.DetectFormat(head[:n]); f != trace.FormatGzip && f != trace.FormatZstd {
		return file, nil
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", file.Name, err), file.Close())
	}
	return p.replaced(file, func(path string) error {
		shown := p.slowTransfer("decompressing " + file.Name)
		defer shown.close()
		plain, err := trace.Decompress(bufio.NewReader(&interruptibleReader{ctx: ctx, r: in, read: shown.add}))
		if err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
		out, err := os.Create(path)
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, plain); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", file.Name, err), out.Close())
		}
		return out.Close()
	})
}

// replaced returns a file that another one was converted to. It closes the other one, also after an
// error.
func (p *program) replaced(file *inputFile, convert func(path string) error) (_ *inputFile, err error) {
	folder, err := scratch.New("", scratch.RunPrefix)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create a folder for %s: %w", file.Name, err), file.Close())
	}
	made := &inputFile{Path: folder.Join("converted.sktrace"), Name: file.Name, fetched: folder}
	if err := errors.Join(convert(made.Path), file.Close()); err != nil {
		return nil, errors.Join(err, made.Close())
	}
	return made, nil
}

// decodeTrace writes the trace of a file of JSON to a path.
func (p *program) decodeTrace(ctx context.Context, input *inputFile, path string) (tracejson.Decoded, error) {
	shown := p.slowTransfer("reading " + input.Name)
	defer shown.close()
	decoded, err := tracejson.DecodeFile(ctx, input.Path, path, tracejson.DecodeOptions{Progress: shown.add})
	switch {
	case errors.Is(err, trace.ErrOrder):
		return decoded, hint(fmt.Errorf("%s: %w", input.Name, err), "to sort a file of events, use jq -cs 'sort_by(.ts)[]'")
	case ctx.Err() != nil:
		return decoded, context.Cause(ctx)
	case err != nil:
		return decoded, fmt.Errorf("%s: %w", input.Name, err)
	}
	return decoded, nil
}

// noLifecycles is the warning about JSON of events alone.
const noLifecycles = "the input does not say how long pods ran, so the trace has no lifecycles: in a replay, pods run until they are deleted; " +
	"skctl trace cat --all prints the lifecycles"

// formatOf returns the format of a file, within its compression.
func (p *program) formatOf(path string) trace.Format {
	in, err := os.Open(path)
	if err != nil {
		return trace.FormatUnknown
	}
	defer in.Close()
	plain, err := trace.Decompress(bufio.NewReader(in))
	if err != nil {
		return trace.FormatUnknown
	}
	head, _ := io.ReadAll(io.LimitReader(plain, trace.FormatBytes)) // what could be read is enough
	return trace.DetectFormat(head)
}

// formatHint says how to use a file that is not a trace.
func formatHint(f trace.Format) string {
	switch f {
	case trace.FormatJSON:
		return "convert it with skctl trace from-json"
	case trace.FormatYAML:
		return "only the JSON of a trace can be converted back: use skctl trace cat --all without -o yaml, then skctl trace from-json"
	case trace.FormatManifests, trace.FormatSchedulerSimulator:
		return "make a trace from it with skctl trace convert"
	case trace.FormatGzip, trace.FormatZstd:
		return "it is compressed twice: decompress it once"
	case trace.FormatXZ, trace.FormatBzip2, trace.FormatLZ4:
		return fmt.Sprintf("decompress it with %s -d; traces may be compressed with gzip or zstd", f)
	case trace.FormatTar:
		return "extract the trace from it with tar -xf"
	case trace.FormatZip:
		return "extract the trace from it with unzip"
	case trace.FormatParquet:
		return "tables are results of a simulation: see skctl report"
	case trace.FormatHTML, trace.FormatXML:
		return "a server may have sent an error instead of the trace: check its address, and open the file"
	case trace.FormatLFSPointer:
		return "get the file itself with git lfs pull"
	case trace.FormatUTF16:
		return "convert it to UTF-8; in PowerShell, write files with Out-File -Encoding utf8"
	case trace.FormatEmpty:
		return "the program that wrote it may have failed; skctl export writes a trace"
	}
	return ""
}
