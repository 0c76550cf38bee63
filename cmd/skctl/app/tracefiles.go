package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/tracejson"
	"simkube.io/simkube/storage"
)

// Traces are read from and written to paths or URLs. Commands work on local files, which can be
// read more than once and from the middle, so remote files are fetched first and stored last.

// inputFile is a file that a command reads.
type inputFile struct {
	// Path is where it is on this machine.
	Path string
	// Name is how messages refer to it; it holds no secrets.
	Name string

	// fetched is the folder of a fetched file; nil for a local one.
	fetched *scratch.Folder
}

// Close removes a fetched file.
func (f *inputFile) Close() error {
	if f.fetched == nil {
		return nil
	}
	return f.fetched.Close()
}

// standardInput is the argument for the standard input.
const standardInput = "-"

// fetch returns a local file with the trace at a path, a URL, or "-" for the standard input. Errors
// name the argument. The file may be compressed with gzip or zstd. A trace as JSON is converted.
func (p *program) fetch(ctx context.Context, arg string) (*inputFile, error) {
	file, err := p.fetchFile(ctx, arg, "trace ")
	if err != nil || !tracejson.IsJSON(file.Path) {
		return file, err
	}
	return p.converted(ctx, file)
}

// fetchFile is fetch for files that need not be traces. Errors of opening them describe the file as
// what.
func (p *program) fetchFile(ctx context.Context, arg, what string) (*inputFile, error) {
	if arg == standardInput {
		return p.fetchFrom(ctx, io.NopCloser(newPatientReader(ctx, p.streams.In)), "the standard input")
	}
	location, err := storage.Parse(arg)
	if err != nil {
		return nil, &usageError{err: err}
	}
	if location.Local() {
		info, err := os.Stat(location.Key)
		switch {
		case err != nil:
			return nil, fmt.Errorf("open %s%s: %w", what, location, reason(err))
		case info.IsDir():
			return nil, hint(fmt.Errorf("open %s%s: is a folder", what, location), "use a file; the names of traces end in .sktrace")
		}
		return &inputFile{Path: location.Key, Name: location.String()}, nil
	}
	client := storage.New(storage.Options{})
	defer client.Close()
	in, err := client.Open(ctx, location)
	if err != nil {
		return nil, err
	}
	return p.fetchFrom(ctx, in, location.String())
}

func (p *program) fetchFrom(ctx context.Context, in io.ReadCloser, name string) (_ *inputFile, err error) {
	defer func() { err = errors.Join(err, in.Close()) }()
	folder, err := scratch.New("", scratch.RunPrefix)
	if err != nil {
		return nil, fmt.Errorf("create a folder for %s: %w", name, err)
	}
	file := &inputFile{Path: folder.Join("fetched" + filepath.Ext(name)), Name: name, fetched: folder}
	temp, err := os.Create(file.Path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create a folder for %s: %w", name, err), file.Close())
	}
	if err := p.copyWithProgress(ctx, temp, in, "reading "+name); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", name, err), temp.Close(), file.Close())
	}
	if err := temp.Close(); err != nil {
		return nil, errors.Join(fmt.Errorf("keep %s: %w", name, err), file.Close())
	}
	return file, nil
}

// copyWithProgress copies, and shows its progress on the error stream.
func (p *program) copyWithProgress(ctx context.Context, to io.Writer, from io.Reader, what string) error {
	transfer := progress.NewTransfer(p.streams.Err, what, p.displayOptions())
	defer transfer.Close()
	_, err := io.Copy(to, &interruptibleReader{ctx: ctx, r: from, read: transfer.Add})
	return err
}

// interruptibleReader reads until its context is cancelled.
type interruptibleReader struct {
	ctx  context.Context
	r    io.Reader
	read func(n int)
}

func (r *interruptibleReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(b)
	r.read(n)
	return n, err
}

// outputFile is a file that a command writes. It appears under its name, or in its bucket, only
// after Commit.
type outputFile struct {
	// Path is the temporary path to write to. The file need not exist yet.
	Path string
	// Name is how messages refer to it; it holds no secrets.
	Name string

	location storage.Location
	p        *program
	once     sync.Once
	// dir is removed by Close.
	dir *scratch.Folder
}

// create prepares writing a file at a path or a URL, which may exist, and checks as far as possible
// that it can be written.
func (p *program) create(ctx context.Context, arg string) (*outputFile, error) {
	location, err := storage.Parse(arg)
	if err != nil {
		return nil, &usageError{err: err}
	}
	client := storage.New(storage.Options{})
	defer client.Close()
	if err := client.Check(ctx, location); err != nil {
		return nil, err
	}
	out := &outputFile{Name: location.String(), location: location, p: p}
	parent := ""
	if location.Local() {
		// In the same folder, so that it can be renamed.
		parent = filepath.Dir(location.Key)
	}
	scratch.Sweep(parent, scratch.SiblingPrefix)
	if out.dir, err = scratch.New(parent, scratch.SiblingPrefix); err != nil {
		return nil, fmt.Errorf("create a folder for %s: %w", location, err)
	}
	out.Path = out.dir.Join("new" + filepath.Ext(location.Key))
	return out, nil
}

// Commit moves or uploads what was written to Path.
func (f *outputFile) Commit(ctx context.Context) error {
	if f.location.Local() {
		if err := os.Rename(f.Path, f.location.Key); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
		return syncFolder(filepath.Dir(f.location.Key))
	}
	client := storage.New(storage.Options{})
	defer client.Close()
	in, err := os.Open(f.Path)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Name, err)
	}
	defer in.Close()
	out, err := client.Create(ctx, f.location)
	if err != nil {
		return err
	}
	if err := f.p.copyWithProgress(ctx, out, in, "writing "+f.Name); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.Name, err), out.Abort())
	}
	return out.Commit()
}

// Close removes temporary files. It may be called after Commit and after errors.
func (f *outputFile) Close() (err error) {
	f.once.Do(func() { err = f.dir.Close() })
	return err
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
