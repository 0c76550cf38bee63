// Command images builds SimKube's images from built programs, without Docker. make images calls it;
// docs/install.md describes how to use its output.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"simkube.io/simkube/images/oci"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	programs := flags.String("programs", "bin/images/programs", "folder with linux_amd64/NAME and linux_arm64/NAME")
	out := flags.String("o", "bin/images", "folder for the layouts, one for each program")
	version := flags.String("version", "", "version of the programs")
	revision := flags.String("revision", "", "commit of the programs")
	push := flags.String("push", "", "registry and path to push to, as in registry.example.com/simkube")
	tag := flags.String("tag", "latest", "tag to push, and to load into Docker")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(titles())) {
		binary := func(p v1.Platform) string { return filepath.Join(*programs, p.OS+"_"+p.Architecture, name) }
		index, err := oci.Make(oci.Program{Name: name, Title: titles()[name], Version: *version, Revision: *revision, Binary: binary})
		if err != nil {
			return err
		}
		dir := filepath.Join(*out, name)
		if err := oci.Write(index, dir); err != nil {
			return err
		}
		if err := oci.Verify(dir, name); err != nil {
			return fmt.Errorf("verify %s: %w", dir, err)
		}
		if err := oci.Archive(index, runtime.GOARCH, "simkube/"+name+":"+*tag, dir+".tar"); err != nil {
			return err
		}
		digest, err := index.Digest()
		if err != nil {
			return err
		}
		fmt.Println(dir, digest)
		if *push != "" {
			reference := *push + "/" + name + ":" + *tag
			if err := oci.Push(ctx, index, reference); err != nil {
				return err
			}
			fmt.Println("pushed", reference)
		}
	}
	return nil
}

// titles returns the titles of the programs that have images.
func titles() map[string]string {
	return map[string]string{
		"sk-ctrl":   "Runs the Simulations of a cluster",
		"sk-driver": "Replays a recording in a cluster",
		"sk-tracer": "Records a cluster",
	}
}
