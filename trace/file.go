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

// Open opens a trace file and reads up to its first event. Errors name the file.
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

// Size gives the size of the file in bytes, and 0 where there is none.
func (f *File) Size() int64 {
	info, err := f.f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// FileWriter is a Writer to a file, which appears under its name only with Finish.
type FileWriter struct {
	Writer
	path string
	temp *os.File
}

// Create starts a trace file: a temporary file in the same directory, which Finish syncs and renames
// to path, and Close removes.
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

// Finish writes the tail, puts the file on disk and gives it its name. On an error the file is gone.
func (w *FileWriter) Finish(tail *Tail) error {
	return w.finished(w.Writer.Finish(tail))
}

// FinishStream is Finish with a tail that need not fit into memory; see [Writer.FinishStream].
func (w *FileWriter) FinishStream(tail *TailStream) error {
	return w.finished(w.Writer.FinishStream(tail))
}

// finished publishes the file, unless it could not be written.
func (w *FileWriter) finished(err error) error {
	if err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.publish(); err != nil {
		return errors.Join(fmt.Errorf("finish the trace %s: %w", w.path, err), w.Close())
	}
	return nil
}

// publish makes the temporary file the trace.
func (w *FileWriter) publish() error {
	// What CreateTemp makes is for its owner only; a trace is an ordinary file.
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

// Close removes the temporary file of a trace that is not finished. After Finish it does nothing, so
// that it can always be deferred.
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

// syncDir puts a directory's entries on disk.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
