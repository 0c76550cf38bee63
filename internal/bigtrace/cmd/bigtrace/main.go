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
	flag.IntVar(&opts.Events, "events", bigtrace.DefaultEvents, "how many events it has")
	flag.IntVar(&opts.EventBytes, "event-bytes", bigtrace.DefaultEventBytes, "about how many bytes an event has, at least some 900")
	flag.IntVar(&opts.Objects, "objects", bigtrace.DefaultObjects, "how many distinct objects it has")
	flag.Uint64Var(&opts.Seed, "seed", 0, "another seed gives another trace of this sort")
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
