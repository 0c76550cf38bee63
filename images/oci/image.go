package oci

import (
	"fmt"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Program describes an image.
type Program struct {
	// Name is the image's name, and that of its entrypoint: /NAME.
	Name string
	// Title is a short description.
	Title string
	// Version and Revision are the program's; they may be empty.
	Version, Revision string
	// Binary returns the path of the program for a platform.
	Binary func(v1.Platform) string
}

// Make builds the images of a program for all platforms, and their index.
func Make(p Program) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range Platforms() {
		image, err := makeImage(p, platform)
		if err != nil {
			return nil, fmt.Errorf("build image %s for %s: %w", p.Name, platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: &platform},
		})
	}
	return index, nil
}

func makeImage(p Program, platform v1.Platform) (v1.Image, error) {
	program, err := os.ReadFile(p.Binary(platform))
	if err != nil {
		return nil, err
	}
	if err := checkProgram(program, platform); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Binary(platform), err)
	}
	layer, err := makeLayer(p.Name, program)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{
		Created: v1.Time{Time: epoch()}, CreatedBy: "make images", Comment: p.Name + " and authorities",
	}}); err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = platform.OS, platform.Architecture
	file.Created = v1.Time{Time: epoch()}
	file.Config = v1.Config{
		User: userText, Env: []string{path}, Entrypoint: []string{"/" + p.Name}, WorkingDir: "/", Labels: labels(p),
	}
	return mutate.ConfigFile(image, file)
}

func labels(p Program) map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       p.Name,
		"org.opencontainers.image.description": p.Title,
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if p.Version != "" {
		labels["org.opencontainers.image.version"] = p.Version
	}
	if p.Revision != "" {
		labels["org.opencontainers.image.revision"] = p.Revision
	}
	return labels
}

// epoch is the time in images: the real time would make them differ.
func epoch() time.Time { return time.Unix(0, 0).UTC() }
