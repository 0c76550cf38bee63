package tracer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"k8s.io/utils/clock"

	"simkube.io/simkube/trace"
)

// configEvery is the interval at which the configuration file is read. It is polled, because
// Kubernetes replaces the files of a ConfigMap through links, which cause many different
// notifications of the file system.
const configEvery = 2 * time.Second

// ConfigFile is a tracer's configuration file, which may change while it is followed.
type ConfigFile struct {
	Path string
	// Clock determines when to read the file again. Nil means the real clock.
	Clock  clock.WithTicker
	Logger *slog.Logger

	data []byte // the last contents
}

// Load reads the file. It logs warnings about its contents.
func (f *ConfigFile) Load() (*trace.Config, error) {
	data, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, fmt.Errorf("read the tracer config: %w", err)
	}
	return f.parse(data)
}

func (f *ConfigFile) parse(data []byte) (*trace.Config, error) {
	f.data = data
	config, warnings, err := trace.ParseConfig(data)
	for _, warning := range warnings {
		f.Logger.Warn("tracer config", "file", f.Path, "warning", warning)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return config, nil
}

// Follow calls apply with the configuration in the file, or with the error, whenever it has
// changed, until ctx ends. A file that is temporarily missing, for example while it is replaced, is
// no change.
func (f *ConfigFile) Follow(ctx context.Context, apply func(*trace.Config, error)) {
	c := f.Clock
	if c == nil {
		c = clock.RealClock{}
	}
	ticker := c.NewTicker(configEvery)
	defer ticker.Stop()
	unread := "" // the last read error
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
		data, err := os.ReadFile(f.Path)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			if err.Error() != unread {
				unread = err.Error()
				apply(nil, fmt.Errorf("read the tracer config: %w", err))
			}
		case unread != "" || !bytes.Equal(data, f.data):
			unread = ""
			apply(f.parse(data))
		}
	}
}
