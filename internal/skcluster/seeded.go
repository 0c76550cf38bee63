package skcluster

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"simkube.io/simkube/internal/simulation"
)

// A simulation with a seed repeats itself as far as it is handed the same. How long a path is decides on where in memory all that
// comes after it lies, that on the order of maps with pointers as keys, and that on who is told first of a new
// pod. So the child of such a simulation gets an environment of its own, and paths that are
// all of one length.

// limitFormat writes a limit of memory, in bytes, in always as many digits.
const limitFormat = "%019d"

// pathLength is that length; slashes in front of a path add nothing to it. Longer ones stay as they are.
const pathLength = 1024

// seeded tells whether a spec asks for a repeatable simulation.
func seeded(spec simulation.Spec) bool {
	return spec.Seed != 0 && spec.Time == simulation.Virtual
}

// environment is the child's: that of this process and what the options add, or, with a seed, what it needs of that. The limit of memory is
// written with all its digits, since the one it has depends on what else runs; one that the user set stays as it is.
func environment(opts Options) []string {
	if !seeded(opts.Spec) {
		// A variable that happens to be there must not make a seed.
		env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, simulation.SeedVariable+"=") })
		return append(env, opts.Env...)
	}
	var env []string
	for _, name := range []string{"TZ", "GOGC"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	limit := fmt.Sprintf(limitFormat, int64(math.MaxInt64))
	if users := os.Getenv("GOMEMLIMIT"); users != "" {
		limit = users
	}
	for _, variable := range opts.Env {
		name, value, _ := strings.Cut(variable, "=")
		switch name {
		case "GOMAXPROCS":
		case "GOMEMLIMIT":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				limit = fmt.Sprintf(limitFormat, n)
			}
		default:
			env = append(env, variable)
		}
	}
	return append(env,
		simulation.SeedVariable+"="+strconv.FormatUint(opts.Spec.Seed, 10),
		"GOMAXPROCS=1", // two would race, and from the first instruction on
		"GOMEMLIMIT="+limit)
}

// padded returns the spec as the child is to see it, and what makes its messages fit for a user again.
func padded(spec simulation.Spec) (simulation.Spec, *strings.Replacer) {
	if !seeded(spec) {
		return spec, strings.NewReplacer()
	}
	var replacements []string
	pad := func(path string) string {
		abs, err := filepath.Abs(path)
		if path == "" || err != nil || len(abs) >= pathLength {
			return path
		}
		long := strings.Repeat("/", pathLength-len(abs)) + abs
		replacements = append(replacements, long, path)
		return long
	}
	padAll := func(paths []string) []string {
		paths = slices.Clone(paths)
		for i := range paths {
			paths[i] = pad(paths[i])
		}
		return paths
	}
	spec.Trace, spec.Output, spec.SchedulerConfig, spec.Nodes.File = pad(spec.Trace), pad(spec.Output), pad(spec.SchedulerConfig), pad(spec.Nodes.File)
	spec.Scratch, spec.Spare = pad(spec.Scratch), pad(spec.Spare)
	spec.CRDs, spec.Stages = padAll(spec.CRDs), padAll(spec.Stages)
	return spec, strings.NewReplacer(replacements...)
}

// plain undoes the padding in what a message tells the user.
func plain(msg *simulation.Message, paths *strings.Replacer) {
	switch {
	case msg.Note != nil:
		msg.Note.Text = paths.Replace(msg.Note.Text)
	case msg.Failed != nil:
		msg.Failed.Error, msg.Failed.Hint = paths.Replace(msg.Failed.Error), paths.Replace(msg.Failed.Hint)
	case msg.Done != nil:
		msg.Done.Output, msg.Done.Misplaced = paths.Replace(msg.Done.Output), paths.Replace(msg.Done.Misplaced)
	}
}
