package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// downloadModule returns the zip file of a Go module. The go command compares it with the checksum
// database.
func downloadModule(path, version string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", path+"@"+version)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	failure := cmd.Run()
	var module struct{ Zip, Sum, Error string }
	if err := json.Unmarshal(stdout.Bytes(), &module); err != nil {
		return "", fmt.Errorf("go mod download: %w: %s", errors.Join(failure, err), bytes.TrimSpace(stderr.Bytes()))
	}
	// A module that needs a newer Go is downloaded and checked as well, but not extracted.
	if module.Zip == "" || module.Sum == "" {
		return "", fmt.Errorf("go mod download: %s", module.Error)
	}
	return module.Zip, nil
}

// downloadWheel returns the file of a Python package with this SHA-256.
func downloadWheel(dir, name, version, hash string) (string, error) {
	cmd := exec.Command("python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary", ":all:", "--dest", dir, name+"=="+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pip download: %w: %s", err, bytes.TrimSpace(out))
	}
	found, err := filepath.Glob(filepath.Join(dir, name+"-"+version+"-*.whl"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("pip download wrote %d files, not 1", len(found))
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hash {
		return "", fmt.Errorf("%s has the SHA-256 %x, not %s", filepath.Base(found[0]), sum, hash)
	}
	return found[0], nil
}
