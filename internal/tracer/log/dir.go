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

// formatVersion is what is written to the format file. A log of an older version would be brought to it by Open; of a newer one
// nothing is known.
const formatVersion = 1

const (
	formatFile  = "FORMAT"
	formatTemp  = "FORMAT.new"
	formatTitle = "simkube event log, version "
	lockFile    = "LOCK"
	storeFolder = "store"
	// mountFolder is in the root of a fresh ext4 volume.
	mountFolder = "lost+found"
	dirMode     = 0o700
)

// directory is where a log is. It is locked as long as it is held.
type directory struct {
	fs   vfs.FS
	path string
	// made says that there is a log in it already.
	made bool
	lock io.Closer
}

func (d *directory) store() string { return d.fs.PathJoin(d.path, storeFolder) }

// holdDirectory makes the directory if needed and allowed, and locks it. One that holds something else than a log of a version that
// can be read is left as it is.
func holdDirectory(fsys vfs.FS, dir string, mayMake bool) (*directory, error) {
	d := &directory{fs: fsys, path: dir}
	if err := d.look(mayMake); err != nil {
		return nil, err
	}
	if mayMake {
		if err := fsys.MkdirAll(dir, dirMode); err != nil {
			return nil, err
		}
	}
	lock, err := fsys.Lock(fsys.PathJoin(dir, lockFile))
	if err != nil {
		if pathErr := (*fs.PathError)(nil); !errors.As(err, &pathErr) {
			err = fmt.Errorf("%w: stop the other program that has it open, or give this one another directory (%w)", ErrInUse, err)
		}
		return nil, err
	}
	d.lock = lock
	// Another process may have made it meanwhile.
	if err := d.look(mayMake); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if mayMake {
		// The directory itself may be the root of a volume, whose mode is not ours to set.
		if err := fsys.MkdirAll(d.store(), dirMode); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return d, nil
}

// look finds out whether the directory holds a log, and fails if it may not be made one.
func (d *directory) look(mayMake bool) error {
	names, err := d.fs.List(d.path)
	if errors.Is(err, fs.ErrNotExist) && mayMake {
		return nil
	}
	if err != nil {
		return err
	}
	if slices.Contains(names, formatFile) {
		d.made = true
		return d.readFormat()
	}
	if !mayMake {
		return fmt.Errorf("%w: it has no file %s", ErrNotLog, formatFile)
	}
	for _, name := range names {
		switch name {
		case storeFolder:
			if err := d.unfinished(); err != nil {
				return err
			}
		case lockFile, formatTemp, mountFolder:
		default:
			return fmt.Errorf("%w: it holds %q and no file %s; give an empty directory or a log's", ErrNotLog, name, formatFile)
		}
	}
	return nil
}

// unfinished fails unless the store is one whose making was interrupted.
func (d *directory) unfinished() error {
	names, err := d.fs.List(d.store())
	if err != nil || len(names) == 0 {
		return err
	}
	if desc, err := pebble.Peek(d.store(), d.fs); err != nil || !desc.Exists && slices.ContainsFunc(names, func(n string) bool {
		return n != lockFile && !strings.HasPrefix(n, "marker.") && !strings.HasPrefix(n, "MANIFEST-") && !strings.HasSuffix(n, ".log")
	}) {
		return fmt.Errorf("%w: its folder %q is not a log's, and there is no file %s", ErrNotLog, storeFolder, formatFile)
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
		return fmt.Errorf("%w: its file %s says %.40q", ErrNotLog, formatFile, text)
	case version > formatVersion:
		return fmt.Errorf("%w: it is of version %d, and this program reads up to %d", ErrNewer, version, formatVersion)
	}
	return nil
}

// finish writes the format file, once the store is there: whoever finds the file can rely on the store.
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
	// The directory's own entry is in its parent.
	return errors.Join(d.sync(d.path), d.sync(d.fs.PathDir(d.path)))
}

func (d *directory) sync(name string) error {
	f, err := d.fs.OpenDir(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil // not ours to read; the entry was there, or could not have been made
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *directory) release() error { return d.lock.Close() }
