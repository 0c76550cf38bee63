package oci

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// Verify checks the layout of a program in a folder: every digest, that there is exactly one image
// for each platform, and that each runs a static program of that platform, not as root, with CA
// certificates and a temporary folder.
func Verify(dir, name string) error {
	index, err := Read(dir)
	if err != nil {
		return err
	}
	if err := validate.Index(index); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	if len(manifest.Manifests) != len(Platforms()) {
		return fmt.Errorf("there are %d images, and %d platforms", len(manifest.Manifests), len(Platforms()))
	}
	for i, platform := range Platforms() {
		descriptor := manifest.Manifests[i]
		if descriptor.Platform == nil || !descriptor.Platform.Equals(platform) {
			return fmt.Errorf("image %d is for %v, want %s", i, descriptor.Platform, platform)
		}
		image, err := index.Image(descriptor.Digest)
		if err != nil {
			return err
		}
		if err := verifyImage(image, platform, name); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return nil
}

// Read returns the only index of a layout.
func Read(dir string) (v1.ImageIndex, error) {
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%s has %d entries, want one", filepath.Join(dir, "index.json"), len(manifest.Manifests))
	}
	return top.ImageIndex(manifest.Manifests[0].Digest)
}

func verifyImage(image v1.Image, platform v1.Platform, name string) error {
	file, err := image.ConfigFile()
	if err != nil {
		return err
	}
	switch {
	case file.Config.User != userText:
		return fmt.Errorf("the user is %q, want %s", file.Config.User, userText)
	case len(file.Config.Entrypoint) != 1 || file.Config.Entrypoint[0] != "/"+name:
		return fmt.Errorf("the entrypoint is %q, want /%s", file.Config.Entrypoint, name)
	}
	entries, err := unpack(image)
	if err != nil {
		return err
	}
	program := entries[name]
	switch tmp := entries["tmp"]; {
	case program.header == nil:
		return fmt.Errorf("the entrypoint /%s does not exist", name)
	case program.header.Mode&0o001 == 0 || program.header.Typeflag != tar.TypeReg:
		return fmt.Errorf("the entrypoint /%s has mode %o", name, program.header.Mode)
	case tmp.header == nil || tmp.header.Mode&0o002 == 0:
		return errors.New("it has no world-writable /tmp")
	case !x509.NewCertPool().AppendCertsFromPEM(entries[authoritiesFile].data):
		return fmt.Errorf("/%s has no authorities", authoritiesFile)
	}
	return checkProgram(program.data, platform)
}

type entry struct {
	header *tar.Header
	data   []byte
}

// unpack returns an image's files, by name without slashes at the ends.
func unpack(image v1.Image) (map[string]entry, error) {
	files := mutate.Extract(image)
	defer files.Close()
	entries := map[string]entry{}
	for r := tar.NewReader(files); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", header.Name, err)
		}
		entries[strings.Trim(header.Name, "/")] = entry{header, data}
	}
}

// checkProgram returns an error unless a file is a static program for a platform.
func checkProgram(program []byte, platform v1.Platform) error {
	file, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return fmt.Errorf("not a Linux program: %w", err)
	}
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[platform.Architecture]
	if file.Machine != want {
		return fmt.Errorf("the program is for %s, want %s", file.Machine, want)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return errors.New("the program is not static, and the image has no loader")
		}
	}
	return nil
}
