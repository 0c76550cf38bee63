// Command generate generates the example traces: a day of a fictitious mid-size online shop, and a
// few minutes for first steps. The same seed results in the same bytes on any machine. ../README.md
// describes the content.
//
//	go run ./examples/generate -o examples/day.sktrace -seed 1
//	go run ./examples/generate -trace first-steps -o examples/first-steps.sktrace
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	which := flag.String("trace", "day", "trace to generate: day or first-steps")
	output := flag.String("o", "", "the file to write (required)")
	seed := flag.Uint64("seed", 1, "seed of the random numbers")
	flag.Parse()
	if *output == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := generate(*which, *seed, *output); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(which string, seed uint64, output string) error {
	var recording *recorder
	switch which {
	case "day":
		recording = day(seed)
	case "first-steps":
		recording = firstSteps()
	default:
		return fmt.Errorf("invalid -trace %q: must be day or first-steps", which)
	}
	made, err := recording.trace()
	if err != nil {
		return err
	}
	return made.WriteFile(output)
}
