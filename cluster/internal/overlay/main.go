// Command overlay writes a build overlay for the virtual-time build of sk-cluster: copies of a few
// files of the Go runtime and library with small changes.
//
//	go run ./internal/overlay DIR
//
// writes DIR/overlay.json, for go build -overlay, and the files it names. It changes the source of
// the installed Go, and fails unless the text that each change replaces occurs exactly once, so
// that another version of Go fails here and not later.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// change is a piece of text and its replacement.
type change struct{ before, after string }

// file is a file in GOROOT and its changes, or else all of its text if Go has no such file.
type file struct {
	path    string
	changes []change
	added   string
}

// changed returns the changed text of a file with root as GOROOT.
func (f file) changed(root string) ([]byte, error) {
	source, err := os.ReadFile(f.in(root))
	switch {
	case f.added != "" && errors.Is(err, fs.ErrNotExist):
		return []byte(f.added), nil
	case f.added != "" && err == nil:
		return nil, fmt.Errorf("%s is there, and was to be added", f.in(root))
	case err != nil:
		return nil, fmt.Errorf("read Go's source: %w", err)
	}
	changed, err := apply(source, f.changes)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", f.in(root), runtime.Version(), err)
	}
	return changed, nil
}

func (f file) in(root string) string { return filepath.Join(root, "src", filepath.FromSlash(f.path)) }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: overlay DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "overlay:", err)
		os.Exit(1)
	}
}

// write writes the overlay to dir.
func write(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("resolve folder: %w", err)
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("ask for GOROOT: %w", err)
	}
	root := strings.TrimSpace(string(out))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	replace := map[string]string{}
	for _, f := range files() {
		changed, err := f.changed(root)
		if err != nil {
			return err
		}
		copied := filepath.Join(dir, path.Base(f.path))
		if err := os.WriteFile(copied, changed, 0o644); err != nil {
			return fmt.Errorf("write the changed file: %w", err)
		}
		replace[f.in(root)] = copied
	}
	overlay, err := json.MarshalIndent(map[string]map[string]string{"Replace": replace}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the overlay: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), append(overlay, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the overlay: %w", err)
	}
	return nil
}

// errNotOnce is returned for a text that does not occur exactly once.
var errNotOnce = errors.New("the text to replace must stand there once: this Go needs a new look at the change")

func apply(source []byte, changes []change) ([]byte, error) {
	for _, c := range changes {
		if n := bytes.Count(source, []byte(c.before)); n != 1 {
			return nil, fmt.Errorf("%q stands there %d times: %w", c.before, n, errNotOnce)
		}
		source = bytes.Replace(source, []byte(c.before), []byte(c.after), 1)
	}
	return source, nil
}
