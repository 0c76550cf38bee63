package log

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	cacheSize    = 16 << 20
	memTableSize = 8 << 20
	// memTables is the maximum number of memtables, including the one that is being filled.
	memTables = 3
	// blockSize and the compression are the result of measurements: with objects of 700 bytes an event
	// takes 147 bytes on disk. With zstd it would take 113, but appending would take nearly twice the
	// CPU time, and reading two to three times.
	blockSize = 32 << 10
)

// storeOptions returns the options of pebble. Appends are sequential for the entries and scattered
// for the versions, which are small: few and large tables keep write amplification low.
func storeOptions(fsys vfs.FS, logger *slog.Logger) *pebble.Options {
	opts := &pebble.Options{
		FS:                          fsys,
		CacheSize:                   cacheSize,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: memTables,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		FlushSplitBytes:             2 << 20,
		// Free the space of what retention dropped once it is flushed.
		FlushDelayDeleteRange:      10 * time.Second,
		MaxOpenFiles:               256,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		Logger:                     storeLogger{logger},
		// Damage is returned to the reader; the default would end the process.
		EventListener: &pebble.EventListener{
			DataCorruption: func(pebble.DataCorruptionInfo) {},
			BackgroundError: func(err error) {
				logger.LogAttrs(context.Background(), slog.LevelWarn, "event log: background work of the store", slog.Any("error", err))
			},
		},
	}
	opts.TargetFileSizes[0] = 4 << 20
	for i := range opts.Levels {
		opts.Levels[i].BlockSize = blockSize
		opts.Levels[i].Compression = func() *block.CompressionProfile { return block.FastestCompression }
	}
	return opts
}

// storeLogger logs the errors of pebble, and drops its information messages.
type storeLogger struct{ logger *slog.Logger }

// fatalError is an error that pebble cannot continue after.
type fatalError struct {
	message string
	// stuck is whether pebble holds its locks forever, so that its other methods would block.
	stuck bool
}

func (e *fatalError) Error() string { return e.message }

func (storeLogger) Infof(string, ...any) {}

func (l storeLogger) Errorf(format string, args ...any) {
	l.logger.LogAttrs(context.Background(), slog.LevelWarn, "event log: the store", slog.String("error", fmt.Sprintf(format, args...)))
}

// Fatalf must not return. During a commit the panic is recovered and returned as an error; in
// pebble's own goroutines it ends the process, which is then started again with what is on disk.
func (l storeLogger) Fatalf(format string, args ...any) {
	panic(&fatalError{message: fmt.Sprintf(format, args...)})
}

// openStore opens the database in a directory. It creates the database unless mustExist is set.
func openStore(fsys vfs.FS, dir string, mustExist, readOnly bool, logger *slog.Logger) (*pebble.DB, error) {
	if mustExist {
		err := checkManifest(fsys, dir)
		if errors.Is(err, fs.ErrNotExist) {
			err = &CorruptError{Path: dir, Err: fmt.Errorf("the database is missing (%w)", err)}
		}
		if err != nil {
			return nil, err
		}
	}
	opts := storeOptions(fsys, logger)
	opts.ErrorIfNotExists = mustExist
	opts.ReadOnly = readOnly
	db, err := pebble.Open(dir, opts)
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return nil, &CorruptError{Path: dir, Err: errors.New("the database is missing")}
	case mustExist && !isEnvironment(err) && !pebble.IsCorruptionError(err):
		// Errors about files that are missing or have the wrong size are not marked as corruption.
		return nil, &CorruptError{Path: dir, Err: err}
	}
	var damage *CorruptError
	if err = asCorrupt(err); errors.As(err, &damage) && damage.Path == "" {
		damage.Path = dir
	}
	return nil, err
}

// isEnvironment reports whether an error is that of the operating system rather than of the
// contents of the files.
func isEnvironment(err error) bool {
	for _, e := range []error{fs.ErrPermission, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
