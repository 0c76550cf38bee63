// Command overlay writes a build overlay for the virtual-time flavour of sk-cluster: a
// copy of one file of the Go runtime with one change.
//
//	go run ./internal/overlay DIR
//
// writes DIR/overlay.json, for go build -overlay, and the file it names. The change is
// made to the runtime of the Go that runs this command, and only if the text it
// replaces stands there exactly once: with a Go that reads differently the build fails here, not later.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// With fake time, the runtime moves the clock in checkdead, when nothing can run. Before it does,
// checkdead walks all goroutines to tell a deadlock from a wait, at every jump of the
// clock. With thousands of goroutines that walk is most of the time there is. A process full of
// timers is never dead, so with fake time the walk is left out; that something
// sleeps is still checked, by timeSleepUntil.
//
// The changes jump over the walk.
var changes = []change{
	{
		before: "\tgrunning := 0\n\tforEachG(func(gp *g) {\n",
		after:  "\tgrunning := 0\n\tif faketime != 0 {\n\t\tgrunning = 1\n\t\tgoto walked\n\t}\n\tforEachG(func(gp *g) {\n",
	},
	{
		before: "\tif grunning == 0 { // possible if main goroutine calls runtime·Goexit()\n",
		after:  "walked:\n\tif grunning == 0 {\n",
	},
}

// change is a piece of text and what to put in its place.
type change struct{ before, after string }

// file is what is changed, in GOROOT.
const file = "src/runtime/proc.go"

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

// write makes the overlay in dir.
func write(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("resolve folder: %w", err)
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("ask for GOROOT: %w", err)
	}
	original := filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(file))
	source, err := os.ReadFile(original)
	if err != nil {
		return fmt.Errorf("read the runtime: %w", err)
	}
	changed, err := apply(source, changes)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", original, runtime.Version(), err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	copied := filepath.Join(dir, "proc.go")
	if err := os.WriteFile(copied, changed, 0o644); err != nil {
		return fmt.Errorf("write the changed file: %w", err)
	}
	overlay, err := json.MarshalIndent(map[string]map[string]string{"Replace": {original: copied}}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the overlay: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), append(overlay, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the overlay: %w", err)
	}
	return nil
}

// errNotOnce is returned for a text that the change cannot be made to.
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
