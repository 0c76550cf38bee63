package app

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

// openInBrowser opens a file and does not wait until it is closed.
func openInBrowser(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("open the report: %w", err)
	}
	name := "xdg-open"
	if runtime.GOOS == "darwin" {
		name = "open"
	}
	if err := exec.CommandContext(ctx, name, path).Run(); err != nil {
		return hint(fmt.Errorf("open the report with %s: %w", name, err), "open %s yourself", path)
	}
	return nil
}
