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

// localFile is the machine's own files. A file is written beside its place, under a name that begins with a dot and ends
// with .partial, and put into its place when it is whole and on the disk.
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
	f, err := createBeside(place)
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
	return syncFolder(filepath.Dir(place))
}

func (localFile) check(_ context.Context, key string) error {
	place, _, err := destination(key)
	if err != nil {
		return err
	}
	f, err := createBeside(place)
	if err != nil {
		return err
	}
	f.Close()
	return remove(f.Name())
}

// destination gives the place of a file, links followed, and the permissions of the one that is there, or 0.
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
		// Putting a file into its place would take a device away from everybody.
		return "", 0, errors.New("it is neither a file nor free: a device, pipe or socket cannot be replaced")
	}
	place, err := filepath.EvalSymlinks(key)
	return place, info.Mode().Perm(), err
}

// createBeside makes a file of a new name in the folder of a place, with the permissions of new files.
func createBeside(place string) (*os.File, error) {
	dir, name := filepath.Split(place)
	// The whole name may be no longer than 255 bytes.
	if len(name) > 200 {
		name = name[:200]
	}
	return os.OpenFile(filepath.Join(dir, "."+name+"."+rand.Text()[:12]+".partial"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
}

// remove removes a file; the error, if any, says that something is left.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &leftError{err}
	}
	return nil
}

// syncFolder makes the name of a file in a folder last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems cannot, and need not.
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
		return finding{ErrNotExist, reason, "check the path; the folder has to exist already"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return finding{ErrPermission, reason, "check the permissions of the file and of its folder"}
	case errors.Is(err, syscall.EISDIR):
		return finding{nil, "it is a folder", "add the name of a file"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return finding{ErrUnavailable, reason, "make room, or name another folder"}
	}
	return finding{reason: reason}
}

func (localFile) close() {}
