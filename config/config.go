// Package config holds what a cluster needs to run simulations: SimKube's custom resource
// definitions (generated, see `make generate`) and the KWOK stages for simulated nodes and pods.
//
// The files are embedded in programs. They are ordinary manifests and can also be applied from this
// folder.
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

// read panics if an embedded file cannot be read, which would be a bug.
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
