package log

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// formatVersion is written to the format file. Open will have to convert logs of older versions; it
// rejects those of newer ones.
const formatVersion = 1

const (
	formatFile  = "FORMAT"
	formatTemp  = "FORMAT.new"
	formatTitle = "simkube event log, version "
	lockFile    = "LOCK"
	storeFolder = "store"
	// mountFolder exists in the root of a new ext4 volume.
	mountFolder = "lost+found"
	dirMode     = 0o700
)

// directory is the directory of a log. It is locked until it is released.
type directory struct {
	fs   vfs.FS
	path string
	// exists is whether it contains a log already.
	exists bool
	lock   io.Closer
}

func (d *directory) store() string { return d.fs.PathJoin(d.path, storeFolder) }

// lockDirectory locks a directory, creating it if create is set. It fails and changes nothing if
// the directory contains anything but a log of a known version.
func lockDirectory(fsys vfs.FS, dir string, create bool) (*directory, error) {
	d := &directory{fs: fsys, path: dir}
	if err := d.inspect(create); err != nil {
		return nil, err
	}
	if create {
		if err := fsys.MkdirAll(dir, dirMode); err != nil {
			return nil, err
		}
	}
	lock, err := fsys.Lock(fsys.PathJoin(dir, lockFile))
	if err != nil {
		if pathErr := (*fs.PathError)(nil); !errors.As(err, &pathErr) {
			err = fmt.Errorf("%w: stop the other program that has it open, or use another directory (%w)", ErrInUse, err)
		}
		return nil, err
	}
	d.lock = lock
	// Another process may have created the log meanwhile.
	if err := d.inspect(create); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if create {
		// The mode of the directory itself is not changed, since it may be the root of a volume.
		if err := fsys.MkdirAll(d.store(), dirMode); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return d, nil
}

// inspect determines whether the directory contains a log. It fails if it contains something else,
// or nothing and create is not set.
func (d *directory) inspect(create bool) error {
	names, err := d.fs.List(d.path)
	if errors.Is(err, fs.ErrNotExist) && create {
		return nil
	}
	if err != nil {
		return err
	}
	if slices.Contains(names, formatFile) {
		d.exists = true
		return d.readFormat()
	}
	if !create {
		return fmt.Errorf("%w: it has no file %s", ErrNotLog, formatFile)
	}
	for _, name := range names {
		switch name {
		case storeFolder:
			if err := d.checkUnfinished(); err != nil {
				return err
			}
		case lockFile, formatTemp, mountFolder:
		default:
			return fmt.Errorf("%w: it contains %q and no file %s; use an empty directory or that of a log", ErrNotLog, name, formatFile)
		}
	}
	return nil
}

// checkUnfinished fails unless the store is one whose creation was interrupted.
func (d *directory) checkUnfinished() error {
	names, err := d.fs.List(d.store())
	if err != nil || len(names) == 0 {
		return err
	}
	if desc, err := pebble.Peek(d.store(), d.fs); err != nil || !desc.Exists && slices.ContainsFunc(names, func(n string) bool {
		return n != lockFile && !strings.HasPrefix(n, "marker.") && !strings.HasPrefix(n, "MANIFEST-") && !strings.HasSuffix(n, ".log")
	}) {
		return fmt.Errorf("%w: its folder %q is not that of a log, and there is no file %s", ErrNotLog, storeFolder, formatFile)
	}
	return nil
}

func (d *directory) readFormat() error {
	f, err := d.fs.Open(d.fs.PathJoin(d.path, formatFile))
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return fmt.Errorf("read %s: %w", formatFile, err)
	}
	rest, ok := strings.CutPrefix(string(text), formatTitle)
	version, err := strconv.Atoi(strings.TrimSuffix(rest, "\n"))
	switch {
	case !ok || err != nil || version < 1:
		return fmt.Errorf("%w: its file %s contains %.40q", ErrNotLog, formatFile, text)
	case version > formatVersion:
		return fmt.Errorf("%w: it has version %d, and this program supports up to %d", ErrNewer, version, formatVersion)
	}
	return nil
}

// finish writes the format file. It must be called when the store exists, since the file implies a
// store.
func (d *directory) finish() error {
	temp, final := d.fs.PathJoin(d.path, formatTemp), d.fs.PathJoin(d.path, formatFile)
	f, err := d.fs.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s%d\n", formatTitle, formatVersion)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", temp, err)
	}
	if err := d.fs.Rename(temp, final); err != nil {
		return err
	}
	// The entry of the directory itself is in its parent.
	return errors.Join(d.sync(d.path), d.sync(d.fs.PathDir(d.path)))
}

func (d *directory) sync(name string) error {
	f, err := d.fs.OpenDir(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil // without read permission, the entry existed before
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *directory) release() error { return d.lock.Close() }
