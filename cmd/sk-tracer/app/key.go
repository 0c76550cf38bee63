package app

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"simkube.io/simkube/internal/tracer/manifest"
)

// keyFile is the file of the redaction key in the data directory.
const keyFile = "redaction.key"

type redactionKey = [manifest.RedactionKeySize]byte

// loadKey returns the redaction key: that of the file, if one is set, or else the one in the data
// directory, which is generated the first time. In memory a new one is generated every time.
func (o *options) loadKey() (key redactionKey, err error) {
	path := o.redactKey
	if path == "" {
		if o.inMemory {
			_, _ = rand.Read(key[:]) // never fails
			return key, nil
		}
		path = filepath.Join(o.dataDir, keyFile)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && o.redactKey == "" {
		_, _ = rand.Read(key[:])
		return key, writeKey(path, key)
	}
	if err != nil {
		return key, fmt.Errorf("read the redaction key: %w", err)
	}
	decoded, err := hex.DecodeString(string(bytes.TrimSpace(data)))
	if err != nil || len(decoded) != len(key) {
		return key, fmt.Errorf("invalid redaction key %s: must be %d bytes in hexadecimal, as `openssl rand -hex %d` prints them", path, len(key), len(key))
	}
	copy(key[:], decoded)
	return key, nil
}

// writeKey stores a key that only this user can read. It is written atomically: with another key,
// the same values would get other tokens.
func writeKey(path string, key redactionKey) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+keyFile+".*") // readable by its owner only
	if err != nil {
		return fmt.Errorf("keep the redaction key: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("keep the redaction key: %w", err), os.Remove(temp.Name()))
		}
	}()
	_, err = fmt.Fprintf(temp, "%x\n", key)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
