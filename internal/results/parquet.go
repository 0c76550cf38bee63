package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// rowsPerWrite bounds the rows that a writer buffers, and rowGroup those that a reader must read at
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

// readRows decodes a file of a folder whose checksum was verified: see [checksums]. For folders
// without checksums, a panic of the decoder is returned as an error.
func readRows[T any](rows *[]T, dir, name string, files map[string][]byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %w: %v", filepath.Join(dir, name), ErrDamaged, p)
		}
	}()
	data := files[name]
	if *rows, err = parquet.Read[T](bytes.NewReader(data), int64(len(data))); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return nil
}
