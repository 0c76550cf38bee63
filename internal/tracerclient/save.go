package tracerclient

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"simkube.io/simkube/trace"
)

// Save stores a trace in a file. It replaces an existing file, keeps its permissions, and follows
// links. The file appears only when the whole trace is on disk and has been read without an error;
// if there is an error, nothing changes. received is called with the number of bytes of each piece
// that arrives; it may be nil.
func Save(ctx context.Context, body io.Reader, path string, received func(n int)) (_ Contents, err error) {
	place, mode, err := findPlace(path)
	if err != nil {
		return Contents{}, err
	}
	temp, err := createBeside(place)
	if err != nil {
		return Contents{}, fmt.Errorf("store the trace: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignore(temp.Close(), os.ErrClosed), ignore(os.Remove(temp.Name()), os.ErrNotExist))
		}
	}()
	if received == nil {
		received = func(int) {}
	}
	if mode != 0 {
		if err := temp.Chmod(mode); err != nil {
			return Contents{}, fmt.Errorf("store the trace: %w", err)
		}
	}
	if _, err := io.Copy(temp, &meter{body, received}); err != nil {
		return Contents{}, fmt.Errorf("receive the trace: %w", err)
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return Contents{}, fmt.Errorf("store the trace: %w", err)
	}
	saved, err := check(ctx, temp.Name())
	if err != nil {
		return Contents{}, fmt.Errorf("check the trace from the tracer: %w", err)
	}
	if err := os.Rename(temp.Name(), place); err != nil {
		return Contents{}, fmt.Errorf("store the trace: %w", err)
	}
	if err := syncDir(filepath.Dir(place)); err != nil {
		return Contents{}, fmt.Errorf("store the trace: %w", err)
	}
	return saved, nil
}

// CheckPlace returns an error if no trace can be stored at a path, as far as that can be determined
// without trying.
func CheckPlace(path string) error {
	place, _, err := findPlace(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(place)); err != nil {
		return fmt.Errorf("store the trace: %w", err)
	}
	return nil
}

// findPlace returns the path of a file with links resolved, and the permissions of the file, or 0
// if it does not exist.
func findPlace(path string) (string, fs.FileMode, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if target, err := os.Readlink(path); err == nil {
			return "", 0, fmt.Errorf("store the trace as %s: it is a link to %s, which does not exist", path, target)
		}
		return path, 0, nil
	case err != nil:
		return "", 0, fmt.Errorf("store the trace: %w", err)
	case info.IsDir():
		return "", 0, fmt.Errorf("store the trace as %s: it is a folder", path)
	case !info.Mode().IsRegular():
		// Replacing a device, such as /dev/null, would remove it for everyone.
		return "", 0, fmt.Errorf("store the trace as %s: it is a device, pipe or socket, which cannot be replaced", path)
	}
	place, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", 0, fmt.Errorf("store the trace: %w", err)
	}
	return place, info.Mode().Perm(), nil
}

// createBeside creates a file with a new name in the directory of a place, with the default
// permissions.
func createBeside(place string) (*os.File, error) {
	name := filepath.Base(place)
	// File names are limited to 255 bytes.
	if len(name) > 200 {
		name = name[:200]
	}
	return os.OpenFile(filepath.Join(filepath.Dir(place), "."+name+"."+rand.Text()[:12]+".tmp"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
}

// check reads all of a trace.
func check(ctx context.Context, path string) (_ Contents, err error) {
	file, err := trace.Open(path)
	if err != nil {
		return Contents{}, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	saved := Contents{Bytes: file.Size()}
	for event, err := range file.Events() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return Contents{}, err
		}
		if saved.Events == 0 {
			saved.Start = event.Time
		}
		saved.Events++
		saved.Objects += int64(len(event.Applied) + len(event.Deleted))
	}
	if _, err := file.Tail(); err != nil {
		return Contents{}, err
	}
	return saved, nil
}

// meter reports how much is read.
type meter struct {
	r        io.Reader
	received func(n int)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.received(n)
	return n, err
}

// syncDir flushes a directory's entries to disk.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func ignore(err, ignored error) error {
	if errors.Is(err, ignored) {
		return nil
	}
	return err
}
