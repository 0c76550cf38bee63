package results

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrDamaged is returned if a file of a result folder is not what was written.
var ErrDamaged = errors.New("the file is damaged")

// checksums are the SHA-256 sums of the files of a folder, by name. Parquet has checksums only of
// the data in its pages, and the decoder may read memory out of bounds when other parts of a file
// are damaged. So no file is decoded that differs from what was written.
type checksums map[string]string

// write writes the sums in the format of sha256sum.
func (c checksums) write(w io.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if _, err := fmt.Fprintf(w, "%s  %s\n", c[name], name); err != nil {
			return err
		}
	}
	return nil
}

// readChecksums reads the sums of a folder. They are nil for a folder written by a version that did
// not write any.
func readChecksums(dir string) (checksums, error) {
	path := filepath.Join(dir, ChecksumsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	sums := checksums{}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			return nil, fmt.Errorf("%s: %w: invalid line %q", path, ErrDamaged, line)
		}
		sums[name] = sum
	}
	return sums, nil
}

// readVerified returns the contents of files of a folder. It returns an error if a file differs
// from its checksum; without checksums nothing is verified.
func readVerified(dir string, names ...string) (map[string][]byte, error) {
	sums, err := readChecksums(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read results: %w", err)
		}
		if sum := sha256.Sum256(data); sums != nil && hex.EncodeToString(sum[:]) != sums[name] {
			return nil, fmt.Errorf("%s: %w: its checksum is not that in %s", path, ErrDamaged, ChecksumsFile)
		}
		files[name] = data
	}
	return files, nil
}
