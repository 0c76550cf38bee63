package tracerclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"simkube.io/simkube/trace"
)

// Save stores a trace under a path, in the place of what is there. The file appears only when all of the trace is on disk and has been
// read and found whole; on an error there is nothing but what was there before. received is called with the bytes of each
// piece that comes; nil: nobody wants to know.
func Save(ctx context.Context, body io.Reader, path string, received func(n int)) (_ Contents, err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
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
	if _, err := io.Copy(temp, &meter{body, received}); err != nil {
		return Contents{}, fmt.Errorf("get the trace: %w", err)
	}
	// What CreateTemp makes is for its owner only; a trace is an ordinary file.
	if err := errors.Join(temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return Contents{}, fmt.Errorf("store the trace: %w", err)
	}
	saved, err := check(ctx, temp.Name())
	if err != nil {
		return Contents{}, fmt.Errorf("check the trace that came from the tracer: %w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return Contents{}, fmt.Errorf("store the trace: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return Contents{}, fmt.Errorf("store the trace: %w", err)
	}
	return saved, nil
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

// meter tells how much is read.
type meter struct {
	r        io.Reader
	received func(n int)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.received(n)
	return n, err
}

// syncDir puts a directory's entries on disk.
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
