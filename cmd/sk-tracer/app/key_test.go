package app

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadKey(t *testing.T) {
	dir := t.TempDir()
	opts := options{dataDir: dir}
	load := func() redactionKey {
		t.Helper()
		key, err := opts.loadKey()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := load()
	if first == (redactionKey{}) {
		t.Error("the key is not random")
	}
	if again := load(); again != first {
		t.Error("the second time it is another key")
	}
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("others may read the key: %v", got)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 1 {
		t.Errorf("there are %v (%v), want the key alone", names, err)
	}

	opts = options{dataDir: t.TempDir(), redactKey: path}
	if got := load(); got != first {
		t.Error("the key of another file is not used")
	}
	opts = options{dataDir: t.TempDir(), inMemory: true}
	if inMemory := load(); inMemory == load() {
		t.Error("in memory, the key is the same twice")
	}
	if names, _ := filepath.Glob(filepath.Join(opts.dataDir, "*")); len(names) > 0 {
		t.Errorf("in memory, there are the files %v", names)
	}
}

func TestLoadKey_Wrong(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "short": strings.Repeat("ab", 31), "long": strings.Repeat("ab", 33), "no hexadecimal": strings.Repeat("xy", 32),
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "key", text+"\n")
			opts := options{redactKey: path}
			_, err := opts.loadKey()
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "openssl rand -hex 32") {
				t.Errorf("got %v", err)
			}
			if text != "" && strings.Contains(err.Error(), text[:8]) {
				t.Errorf("the error gives the key away: %v", err)
			}
		})
	}
}

// listen returns a port that is in use.
func listen(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
