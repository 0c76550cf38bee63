package test

import (
	"os"
	"path/filepath"
	"testing"
)

// binary returns the path of a program built by `make build`.
func binary(tb testing.TB, name string) string {
	tb.Helper()
	path, err := filepath.Abs(filepath.Join("..", "bin", name))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("%v: run `make build` first", err)
	}
	return path
}
