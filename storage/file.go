package storage

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// localFile is the local file system. A file is written to a temporary file in the same directory,
// whose name begins with a dot and ends with .partial. The temporary file is synced and renamed
// when it is complete.
type localFile struct{}

func (localFile) open(_ context.Context, key string) (io.ReadCloser, int64, error) {
	f, err := os.Open(key)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "read", Path: key, Err: syscall.EISDIR}
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	size := int64(-1)
	if info.Mode().IsRegular() {
		size = info.Size()
	}
	return f, size, nil
}

func (localFile) upload(ctx context.Context, key string, r io.Reader) (err error) {
	place, mode, err := destination(key)
	if err != nil {
		return err
	}
	f, err := createTemp(place)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			err = errors.Join(err, remove(f.Name()))
		}
	}()
	buffer := bufio.NewWriterSize(f, 1<<20)
	if _, err := buffer.ReadFrom(r); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if mode != 0 {
		if err := f.Chmod(mode); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := os.Rename(f.Name(), place); err != nil {
		return err
	}
	return syncDir(filepath.Dir(place))
}

func (localFile) check(_ context.Context, key string) error {
	place, _, err := destination(key)
	if err != nil {
		return err
	}
	f, err := createTemp(place)
	if err != nil {
		return err
	}
	f.Close()
	return remove(f.Name())
}

// destination returns the path of a file, with symbolic links resolved, and the permissions of the
// existing file, or 0.
func destination(key string) (string, fs.FileMode, error) {
	info, err := os.Stat(key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if target, err := os.Readlink(key); err == nil {
			return "", 0, fmt.Errorf("it is a link to %s, which does not exist", target)
		}
		return key, 0, nil
	case err != nil:
		return "", 0, err
	case info.IsDir():
		return "", 0, &fs.PathError{Op: "write", Path: key, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		// Renaming a file over a device would remove the device.
		return "", 0, errors.New("a device, pipe or socket cannot be replaced")
	}
	place, err := filepath.EvalSymlinks(key)
	return place, info.Mode().Perm(), err
}

// createTemp creates a file with a new name in the directory of place, with the permissions of
// new files.
func createTemp(place string) (*os.File, error) {
	dir, name := filepath.Split(place)
	// The name must not be longer than 255 bytes.
	if len(name) > 200 {
		name = name[:200]
	}
	return os.OpenFile(filepath.Join(dir, "."+name+"."+rand.Text()[:12]+".partial"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
}

// remove removes a file. An error means that the file remains.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &cleanupError{err}
	}
	return nil
}

// syncDir syncs a directory, so that renames in it are durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems do not support it, and do not need it.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

func (localFile) explain(err error) finding {
	reason := err.Error()
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		reason = path.Err.Error()
	case errors.As(err, &link):
		reason = link.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return finding{ErrNotExist, reason, "check the path; the directory must exist"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return finding{ErrPermission, reason, "check the permissions of the file and its directory"}
	case errors.Is(err, syscall.EISDIR):
		return finding{nil, "it is a directory", "add the name of a file"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return finding{ErrUnavailable, reason, "free some space, or use another directory"}
	}
	return finding{reason: reason}
}

func (localFile) close() {}
