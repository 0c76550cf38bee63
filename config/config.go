// Package config holds what a cluster needs to host simulations: SimKube's custom
// resource definitions (generated, see `make generate`) and the KWOK stages by which
// simulated nodes and pods come alive.
//
// The files are embedded, so that a program carries them along; they are ordinary
// manifests and can be applied to a cluster from where they lie.
package config

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
)

//go:embed crd/simkube.io_*.yaml kwok/node-*.yaml kwok/pod-*.yaml
var files embed.FS

// File is an embedded manifest.
type File struct {
	// Name is the file's name without its folder ("pod-ready.yaml").
	Name string
	// Data is the manifest, one YAML document.
	Data []byte
}

// CRDs returns the custom resource definitions, ordered by name.
func CRDs() []File { return read("crd") }

// Stages returns the KWOK stages of simulated nodes and pods, ordered by name.
func Stages() []File { return read("kwok") }

// read panics only if a file that was embedded at build time cannot be read, which
// would be a fault of the program, not of its surroundings.
func read(dir string) []File {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		panic(fmt.Sprintf("embedded folder %s: %v", dir, err))
	}
	out := make([]File, 0, len(entries))
	for _, entry := range entries {
		data, err := files.ReadFile(path.Join(dir, entry.Name()))
		if err != nil {
			panic(fmt.Sprintf("embedded file %s: %v", entry.Name(), err))
		}
		out = append(out, File{Name: entry.Name(), Data: data})
	}
	return out
}
