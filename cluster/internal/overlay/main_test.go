package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/cluster/internal/virtualtime"
)

func TestApply(t *testing.T) {
	one := []change{{before: "b", after: "x"}}
	got, err := apply([]byte("abc"), one)
	if err != nil || string(got) != "axc" {
		t.Errorf("got %q, %v, want axc", got, err)
	}
	for _, source := range []string{"ac", "abbc"} {
		if _, err := apply([]byte(source), one); !errors.Is(err, errNotOnce) {
			t.Errorf("%s: got %v, want %v", source, err, errNotOnce)
		}
	}
}

// TestWrite applies the changes to the installed Go.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "overlay.json"))
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(data, &overlay); err != nil {
		t.Fatal(err)
	}
	if len(overlay.Replace) != len(files()) {
		t.Errorf("got %d files, want %d", len(overlay.Replace), len(files()))
	}
	for original, copied := range overlay.Replace {
		before, err := os.ReadFile(original)
		if err != nil && filepath.Base(original) != "simkube.go" {
			t.Error(err)
		}
		after, err := os.ReadFile(copied)
		if err != nil {
			t.Error(err)
		}
		if filepath.Base(original) != filepath.Base(copied) || bytes.Equal(before, after) {
			t.Errorf("got %s replaced by %s, the same: %v", original, copied, bytes.Equal(before, after))
		}
	}
}

// TestRuntimeFile checks that the runtime reads the variable that is set for it.
func TestRuntimeFile(t *testing.T) {
	if !strings.Contains(runtimeFile, `"`+virtualtime.SeedVariable+`="`) {
		t.Errorf("the added file does not look for %s", virtualtime.SeedVariable)
	}
}
