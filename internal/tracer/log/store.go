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
	// memTables is how many may be waiting to be written, with the one that is filled.
	memTables = 3
	// blockSize and the compression are measured: of objects of 700 bytes an event takes 147 bytes on disk. With zstd it would be 113, and cost
	// nearly twice the processor time to append and two to three times that to read.
	blockSize = 32 << 10
)

// storeOptions are how pebble is used. Appends are sequential for the entries and scattered for the versions, which are small: few and
// large tables keep what is rewritten small.
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
		// What retention dropped is given back once it is flushed.
		FlushDelayDeleteRange:      10 * time.Second,
		MaxOpenFiles:               256,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		Logger:                     storeLogger{logger},
		// What is damaged is returned to who reads it; the default would end the process.
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

// storeLogger takes what pebble has to say. Its chatter is left out.
type storeLogger struct{ logger *slog.Logger }

// fatalError is what pebble cannot go on after.
type fatalError struct {
	message string
	// stuck says that pebble holds its locks for ever, and who waits for them with it.
	stuck bool
}

func (e *fatalError) Error() string { return e.message }

func (storeLogger) Infof(string, ...any) {}

func (l storeLogger) Errorf(format string, args ...any) {
	l.logger.LogAttrs(context.Background(), slog.LevelWarn, "event log: the store", slog.String("error", fmt.Sprintf(format, args...)))
}

// Fatalf may not return. A commit is recovered from, for the error to be returned; in pebble's own goroutines it ends the process,
// which then begins again with what is on disk.
func (l storeLogger) Fatalf(format string, args ...any) {
	panic(&fatalError{message: fmt.Sprintf(format, args...)})
}

// openStore opens the database in a directory, which it makes unless must is set.
func openStore(fsys vfs.FS, dir string, must, readOnly bool, logger *slog.Logger) (*pebble.DB, error) {
	if must {
		err := checkManifest(fsys, dir)
		if errors.Is(err, fs.ErrNotExist) {
			err = &CorruptError{Path: dir, Err: fmt.Errorf("the database is missing (%w)", err)}
		}
		if err != nil {
			return nil, err
		}
	}
	opts := storeOptions(fsys, logger)
	opts.ErrorIfNotExists = must
	opts.ReadOnly = readOnly
	db, err := pebble.Open(dir, opts)
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return nil, &CorruptError{Path: dir, Err: errors.New("the database is missing")}
	case must && !environment(err) && !pebble.IsCorruptionError(err):
		// Files that are missing or of another size come without a mark.
		return nil, &CorruptError{Path: dir, Err: err}
	}
	var damage *CorruptError
	if err = typed(err); errors.As(err, &damage) && damage.Path == "" {
		damage.Path = dir
	}
	return nil, err
}

// environment says whether an error is of the system that the program runs on, not of what is in the files.
func environment(err error) bool {
	for _, e := range []error{fs.ErrPermission, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
