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

// A simulation with a seed is only repeatable if the child gets identical input. The length of a
// path decides the addresses of everything allocated after it, addresses decide the order of maps
// with pointers as keys, and that order decides who is notified first of a new pod. So the child of
// such a simulation gets a minimal environment, and paths of equal length.

// limitFormat formats a memory limit, in bytes, with a fixed number of digits.
const limitFormat = "%019d"

// pathLength is the length to which paths are padPaths. Leading slashes do not change a path.
// Longer paths stay as they are.
const pathLength = 1024

// isSeeded reports whether a spec asks for a repeatable simulation.
func isSeeded(spec simulation.Spec) bool {
	return spec.Seed != 0 && spec.Time == simulation.Virtual
}

// environment returns the child's environment: that of this process and that of the options, or,
// with a seed, only the variables that matter. The memory limit then has a fixed number of digits,
// because it depends on what else is running; a limit that the user has set stays as it is.
func environment(opts Options) []string {
	if !isSeeded(opts.Spec) {
		// The user's environment must not set a seed.
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
		"GOMAXPROCS=1", // a second processor would race from the first instruction on
		"GOMEMLIMIT="+limit)
}

// padPaths returns the spec for the child with padPaths paths, and a replacer that removes the
// padding from its messages.
func padPaths(spec simulation.Spec) (simulation.Spec, *strings.Replacer) {
	if !isSeeded(spec) {
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

// unpadPaths removes the padding from the paths in a message.
func unpadPaths(msg *simulation.Message, paths *strings.Replacer) {
	switch {
	case msg.Note != nil:
		msg.Note.Text = paths.Replace(msg.Note.Text)
	case msg.Failed != nil:
		msg.Failed.Error, msg.Failed.Hint = paths.Replace(msg.Failed.Error), paths.Replace(msg.Failed.Hint)
	case msg.Done != nil:
		msg.Done.Output, msg.Done.Misplaced = paths.Replace(msg.Done.Output), paths.Replace(msg.Done.Misplaced)
	}
}
