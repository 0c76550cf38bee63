package results

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// rowsPerWrite bounds the columns a writer buffers at a time, rowGroup what a reader must take in at
// once.
const (
	rowsPerWrite = 8 << 10
	rowGroup     = 128 << 10
)

func writeRows[T any](w io.Writer, rows []T) error {
	pw := parquet.NewGenericWriter[T](w,
		parquet.Compression(&parquet.Zstd),
		parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.CreatedBy("simkube", "", ""),
	)
	for len(rows) > 0 {
		n, err := pw.Write(rows[:min(len(rows), rowsPerWrite)])
		if err != nil {
			return errors.Join(err, pw.Close())
		}
		rows = rows[n:]
	}
	return pw.Close()
}

func readRows[T any](path string) (rows []T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// A broken file can make the decoder panic; for whoever reads results it is a broken file.
	defer func() {
		if p := recover(); p != nil {
			rows, err = nil, fmt.Errorf("%s: broken Parquet file: %v", path, p)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	rows, err = parquet.Read[T](f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rows, nil
}
