package oci

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Write writes an index as a layout, and replaces the folder's contents.
func Write(index v1.ImageIndex, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	to, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("write layout: %w", err)
	}
	if err := to.AppendIndex(index); err != nil {
		return fmt.Errorf("write layout: %w", err)
	}
	return nil
}

// Archive writes the image of one platform in the format of docker load and kind load
// image-archive.
func Archive(index v1.ImageIndex, architecture, reference, file string) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, descriptor := range manifest.Manifests {
		if descriptor.Platform == nil || descriptor.Platform.Architecture != architecture {
			continue
		}
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			return err
		}
		return tarball.WriteToFile(file, tag, image)
	}
	return errors.New("there is no image for " + architecture)
}

// Push pushes all images of an index to a registry, with the credentials of docker login.
func Push(ctx context.Context, index v1.ImageIndex, reference string) error {
	to, err := name.ParseReference(reference)
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	if err := remote.WriteIndex(to, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("push to %s: %w", reference, err)
	}
	return nil
}
