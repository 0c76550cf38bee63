// Command testtimes prints what the tests of packages took to compile, to link and to run, as a
// Markdown table. Its arguments are files that go test -debug-actiongraph has written.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// minShown is how long a package must have taken to have a row of its own.
const minShown = 2 * time.Second

// action is what the go command did for a package: see cmd/go/internal/work.
type action struct {
	Mode, Package       string
	TimeStart, TimeDone time.Time
}

// row is what a package took.
type row struct {
	name               string
	compile, link, run time.Duration
}

func (r row) total() time.Duration { return r.compile + r.link + r.run }

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testtimes:", err)
		os.Exit(1)
	}
}

func run(files []string, w io.Writer) error {
	var rows []row
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var actions []action
		if err := json.Unmarshal(data, &actions); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		rows = append(rows, add(strings.TrimSuffix(filepath.Base(file), ".json"), actions)...)
	}
	return write(w, rows)
}

// add adds up what the packages of one run of go test took. Those without a test, which are
// compiled for others, are one row. Actions overlap, so that a run of go test takes less than their
// sum.
func add(run string, actions []action) []row {
	tested := map[string]*row{}
	for _, a := range actions {
		if a.Mode == "test run" {
			tested[a.Package] = &row{name: run + ": " + strings.TrimPrefix(a.Package, "simkube.io/simkube/"), run: a.took()}
		}
	}
	others := row{name: run + ": packages that others import"}
	for _, a := range actions {
		name, _, _ := strings.Cut(a.Package, " [")
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".test"), "_test")
		r, found := tested[name]
		if !found {
			r = &others
		}
		switch a.Mode {
		case "build", "vet":
			r.compile += a.took()
		case "link":
			r.link += a.took()
		}
	}
	rows := []row{others}
	for _, r := range tested {
		rows = append(rows, *r)
	}
	return rows
}

func (a action) took() time.Duration { return a.TimeDone.Sub(a.TimeStart) }

func write(w io.Writer, rows []row) error {
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.total(), a.total()), strings.Compare(a.name, b.name))
	})
	var b strings.Builder
	b.WriteString("| package | compile and vet | link | run |\n| --- | --- | --- | --- |\n")
	rest := row{name: fmt.Sprintf("packages below %.0f s", minShown.Seconds())}
	sum := row{name: "sum"}
	for _, r := range rows {
		sum.compile, sum.link, sum.run = sum.compile+r.compile, sum.link+r.link, sum.run+r.run
		if r.total() < minShown {
			rest.compile, rest.link, rest.run = rest.compile+r.compile, rest.link+r.link, rest.run+r.run
			continue
		}
		r.write(&b)
	}
	rest.write(&b)
	sum.write(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r row) write(b *strings.Builder) {
	fmt.Fprintf(b, "| %s | %.1f | %.1f | %.1f |\n", r.name, r.compile.Seconds(), r.link.Seconds(), r.run.Seconds())
}
