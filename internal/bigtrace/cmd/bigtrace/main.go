// Command bigtrace writes a large generated trace for benchmarks. The same options result in the
// same bytes.
//
//	go run ./internal/bigtrace/cmd/bigtrace -o big.sktrace -events 1000000
package main

import (
	"flag"
	"fmt"
	"os"

	"simkube.io/simkube/internal/bigtrace"
)

func main() {
	output := flag.String("o", "", "the file to write (required)")
	var opts bigtrace.Options
	flag.IntVar(&opts.Events, "events", bigtrace.DefaultEvents, "number of events")
	flag.IntVar(&opts.EventBytes, "event-bytes", bigtrace.DefaultEventBytes, "approximate size of an event in bytes, at least about 900")
	flag.IntVar(&opts.Objects, "objects", bigtrace.DefaultObjects, "number of distinct objects")
	flag.Uint64Var(&opts.Seed, "seed", 0, "seed of the random numbers")
	flag.Parse()
	if *output == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := bigtrace.Write(*output, opts); err != nil {
		fmt.Fprintln(os.Stderr, "bigtrace:", err)
		os.Exit(1)
	}
}
