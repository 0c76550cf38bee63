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

// keyFile is where the redaction key is kept in the data directory.
const keyFile = "redaction.key"

type redactionKey = [manifest.RedactionKeySize]byte

// loadKey gives the key that redaction depends on: the one in a file, if one is named, else the one in the data directory, which is made
// the first time. In memory it is another one every time.
func (o *options) loadKey() (key redactionKey, err error) {
	path := o.redactKey
	if path == "" {
		if o.inMemory {
			_, _ = rand.Read(key[:]) // it never fails
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
		return key, fmt.Errorf("redaction key %s: wanted are %d bytes in hexadecimal, as `openssl rand -hex %d` prints them", path, len(key), len(key))
	}
	copy(key[:], decoded)
	return key, nil
}

// writeKey keeps a key for this user alone. It is there whole or not at all: another key would make other tokens of the same values.
func writeKey(path string, key redactionKey) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+keyFile+".*") // for its owner only
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
