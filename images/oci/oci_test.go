package oci

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// programs builds a small program for every platform, and returns a function for their paths.
func programs(t *testing.T) func(v1.Platform) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(\"hello\") }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := func(p v1.Platform) string { return filepath.Join(dir, p.Architecture) }
	for _, platform := range Platforms() {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", file(platform), source)
		build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOOS="+platform.OS, "GOARCH="+platform.Architecture, "GOWORK=off", "GOFLAGS=-trimpath")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	return file
}

func example(t *testing.T) Program {
	t.Helper()
	return Program{Name: "hello", Title: "Says hello", Version: "v1", Revision: "abc", Binary: programs(t)}
}

func TestMake(t *testing.T) {
	program := example(t)
	var digests []v1.Hash
	for _, dir := range []string{filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")} {
		index, err := Make(program)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time replaces the first
			if err := Write(index, dir); err != nil {
				t.Fatal(err)
			}
		}
		if err := Verify(dir, program.Name); err != nil {
			t.Fatal(err)
		}
		read, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := read.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	if digests[0] != digests[1] {
		t.Errorf("the same program gave %s and %s", digests[0], digests[1])
	}
}

// The contents of an image, checked without Verify.
func TestImage(t *testing.T) {
	image, err := makeImage(example(t), Platforms()[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := file.Config.Labels; got["org.opencontainers.image.version"] != "v1" || got["org.opencontainers.image.revision"] != "abc" {
		t.Errorf("labels: %v", got)
	}
	if !file.Created.Time.Equal(epoch()) {
		t.Errorf("it has a creation time: %v", file.Created)
	}
	entries, err := unpack(image)
	if err != nil {
		t.Fatal(err)
	}
	for at, mode := range map[string]int64{"hello": 0o755, "tmp": 0o1777, "etc/passwd": 0o644, authoritiesFile: 0o644} {
		if header := entries[at].header; header == nil || header.Mode != mode || header.Uid != 0 || !header.ModTime.Equal(epoch()) {
			t.Errorf("%s: %+v, want mode %o", at, header, mode)
		}
	}
	if n := bytes.Count(entries[authoritiesFile].data, []byte("BEGIN CERTIFICATE")); n < 50 {
		t.Errorf("there are %d authorities", n)
	}
}

func TestMake_Refuses(t *testing.T) {
	good := programs(t)
	dir := t.TempDir()
	write := func(file string, data []byte) string {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, file)
	}
	static, err := os.ReadFile(good(Platforms()[0]))
	if err != nil {
		t.Fatal(err)
	}
	for want, file := range map[string]string{
		"no such file":        filepath.Join(dir, "none"),
		"not a Linux program": write("script", []byte("#!/bin/sh\n")),
		"is for EM_AARCH64":   good(Platforms()[1]),
		"is not static":       write("dynamic", interpreted(static)),
	} {
		_, err := Make(Program{Name: "hello", Binary: func(v1.Platform) string { return file }})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "linux/amd64") {
			t.Errorf("%s: got %v, want an error with %q", file, err, want)
		}
	}
}

// interpreted changes the first segment of a program so that it names a loader.
func interpreted(program []byte) []byte {
	changed := bytes.Clone(program)
	at := binary.LittleEndian.Uint64(changed[32:]) // offset of the segments
	binary.LittleEndian.PutUint32(changed[at:], 3) // PT_INTERP
	return changed
}

// Verify detects modified images.
func TestVerify_Finds(t *testing.T) {
	program := example(t)
	config := func(change func(*v1.ConfigFile)) func(v1.Image) (v1.Image, error) {
		return func(image v1.Image) (v1.Image, error) {
			file, err := image.ConfigFile()
			if err != nil {
				return nil, err
			}
			file = file.DeepCopy()
			change(file)
			return mutate.ConfigFile(image, file)
		}
	}
	for name, test := range map[string]struct {
		change func(v1.Image) (v1.Image, error)
		want   string
	}{
		"root":            {config(func(f *v1.ConfigFile) { f.Config.User = "0" }), `the user is "0"`},
		"another program": {config(func(f *v1.ConfigFile) { f.Config.Entrypoint = []string{"/bin/sh"} }), "the entrypoint is"},
		"architecture":    {config(func(f *v1.ConfigFile) { f.Architecture = "riscv64" }), "riscv64 != amd64"},
		"no program":      {removing("hello"), "the entrypoint /hello does not exist"},
		"no folder":       {removing("tmp"), "it has no world-writable /tmp"},
		"no authorities":  {removing(authoritiesFile), "has no authorities"},
	} {
		t.Run(name, func(t *testing.T) {
			index := mutate.IndexMediaType(empty.Index, "application/vnd.oci.image.index.v1+json")
			for _, platform := range Platforms() {
				image, err := makeImage(program, platform)
				if err != nil {
					t.Fatal(err)
				}
				if image, err = test.change(image); err != nil {
					t.Fatal(err)
				}
				index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
			}
			dir := filepath.Join(t.TempDir(), "layout")
			if err := Write(index, dir); err != nil {
				t.Fatal(err)
			}
			if err := Verify(dir, program.Name); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	t.Run("one platform", func(t *testing.T) {
		image, err := makeImage(program, Platforms()[0])
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "layout")
		if err := Write(mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image}), dir); err != nil {
			t.Fatal(err)
		}
		if err := Verify(dir, program.Name); err == nil || !strings.Contains(err.Error(), "there are 1 images") {
			t.Errorf("got %v", err)
		}
	})
}

// removing removes a file with a whiteout in a new layer.
func removing(file string) func(v1.Image) (v1.Image, error) {
	return func(image v1.Image) (v1.Image, error) {
		var layer bytes.Buffer
		w := tar.NewWriter(&layer)
		whiteout := filepath.Join(filepath.Dir(file), ".wh."+filepath.Base(file))
		if err := w.WriteHeader(&tar.Header{Name: whiteout, Typeflag: tar.TypeReg, Mode: 0o644}); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		top, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
		if err != nil {
			return nil, err
		}
		return mutate.AppendLayers(image, top)
	}
}

// Images can be pushed to a registry and pulled again.
func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	index, err := Make(example(t))
	if err != nil {
		t.Fatal(err)
	}
	reference := strings.TrimPrefix(server.URL, "http://") + "/simkube/hello:v1"
	if err := Push(t.Context(), index, reference); err != nil {
		t.Fatal(err)
	}
	parsed, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range Platforms() {
		image, err := remote.Image(parsed, remote.WithPlatform(platform))
		if err != nil {
			t.Fatal(err)
		}
		if err := verifyImage(image, platform, "hello"); err != nil {
			t.Errorf("%s: %v", platform, err)
		}
	}
	if err := Push(t.Context(), index, "not a reference"); err == nil {
		t.Error("a reference that is none was accepted")
	}
}

func TestArchive(t *testing.T) {
	index, err := Make(example(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hello.tar")
	if err := Archive(index, "arm64", "simkube/hello:v1", file); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("simkube/hello:v1")
	if err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(file, &tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifyImage(image, Platforms()[1], "hello"); err != nil {
		t.Error(err)
	}
	if err := Archive(index, "s390x", "simkube/hello:v1", file); err == nil {
		t.Error("there was an image for a platform that has none")
	}
}
