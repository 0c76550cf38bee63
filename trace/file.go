package trace

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// File is a Reader over a file.
type File struct {
	Reader
	f *os.File
}

// Open opens a trace file and reads up to its first event. Errors contain the file name.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the trace: %w", err)
	}
	file := &File{f: f}
	if err := file.start(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return file, nil
}

// Rewind starts again at the first event.
func (f *File) Rewind() error {
	if _, err := f.f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind the trace: %w", err)
	}
	return f.start(f.f)
}

// Size returns the size of the file in bytes, or 0 if it is not a regular file.
func (f *File) Size() int64 {
	info, err := f.f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// FileWriter is a Writer to a file. The file appears under its name when Finish is called.
type FileWriter struct {
	Writer
	path string
	temp *os.File
}

// Create creates a trace file. It writes to a temporary file in the same directory, which Finish
// syncs and renames to path, and Close removes.
func Create(path string, config *Config, opts WriterOptions) (*FileWriter, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("create the trace: %w", err)
	}
	if opts.SpoolDir == "" {
		opts.SpoolDir = filepath.Dir(path)
	}
	w := &FileWriter{path: path, temp: temp}
	if err := w.start(temp, temp, config, opts); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Finish writes the tail, syncs the file and renames it. If it returns an error, the temporary file
// has been removed.
func (w *FileWriter) Finish(tail *Tail) error {
	return w.finished(w.Writer.Finish(tail))
}

// FinishStream is Finish with a tail that need not fit into memory; see [Writer.FinishStream].
func (w *FileWriter) FinishStream(tail *TailStream) error {
	return w.finished(w.Writer.FinishStream(tail))
}

// finished publishes the file if err is nil.
func (w *FileWriter) finished(err error) error {
	if err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.publish(); err != nil {
		return errors.Join(fmt.Errorf("finish the trace %s: %w", w.path, err), w.Close())
	}
	return nil
}

// publish syncs the temporary file and renames it.
func (w *FileWriter) publish() error {
	// CreateTemp creates files that only their owner can read; a trace is an ordinary file.
	if err := w.temp.Chmod(0o644); err != nil {
		return err
	}
	if err := w.temp.Sync(); err != nil {
		return err
	}
	if err := w.temp.Close(); err != nil {
		return err
	}
	if err := os.Rename(w.temp.Name(), w.path); err != nil {
		return err
	}
	w.temp = nil
	return syncDir(filepath.Dir(w.path))
}

// Close removes the temporary file if the trace is not finished. After Finish it does nothing, so
// it can always be deferred.
func (w *FileWriter) Close() error {
	err := w.Writer.Close()
	if w.temp == nil {
		return err
	}
	closeErr := w.temp.Close()
	if errors.Is(closeErr, os.ErrClosed) {
		closeErr = nil
	}
	err = errors.Join(err, closeErr, os.Remove(w.temp.Name()))
	w.temp = nil
	return err
}

// syncDir syncs a directory.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
