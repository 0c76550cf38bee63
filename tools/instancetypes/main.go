// Command instancetypes writes the built-in list of AWS's instance types:
// internal/instancetypes/aws.csv.
//
// The prices, the bandwidths and the numbers of branch interfaces are those that Karpenter's
// provider for AWS is published with, a Go module. What the types have, and the zones that they are
// in, is what EC2's API returned to the maintainers of moto, a Python package. Both have the Apache
// License 2.0. The go command and pip download them, with their checksums.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The versions that the list is made from.
const (
	karpenterModule  = "github.com/aws/karpenter-provider-aws"
	karpenterVersion = "v1.15.2"
	motoVersion      = "5.2.5"
	motoHash         = "eef62cdcf3bfe73e0863743511ba042dfaba04ba3d5ecdcb896a196c693ad528"
	region           = "us-east-1"
)

func main() {
	output := flag.String("o", "", "the file to write (default the standard output)")
	flag.Parse()
	if err := run(*output, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "instancetypes:", err)
		os.Exit(1)
	}
}

func run(output string, args []string) (err error) {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: there are only flags", args[0])
	}
	scratch, err := os.MkdirTemp("", "instancetypes-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	zip, err := downloadModule(karpenterModule, karpenterVersion)
	if err != nil {
		return fmt.Errorf("download %s: %w", karpenterModule, err)
	}
	wheel, err := downloadWheel(scratch, "moto", motoVersion, motoHash)
	if err != nil {
		return fmt.Errorf("download moto: %w", err)
	}
	karpenter, err := readKarpenter(zip)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(zip), err)
	}
	ec2, err := readMoto(wheel)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(wheel), err)
	}
	types, omitted := join(karpenter, ec2)
	for _, line := range omitted {
		fmt.Fprintln(os.Stderr, line)
	}
	if output == "" {
		return write(os.Stdout, karpenter, ec2, types)
	}
	return writeFile(output, func(w io.Writer) error { return write(w, karpenter, ec2, types) })
}

// writeFile writes a file, which has the old content until all of the new one is written.
func writeFile(path string, content func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".instancetypes-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriter(f)
	if err := errors.Join(content(w), w.Flush(), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
