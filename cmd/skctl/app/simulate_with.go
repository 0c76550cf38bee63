package app

import (
	"errors"
	"fmt"
	"strings"

	"simkube.io/simkube/internal/simulation"
)

// checkWith checks the command lines of programs that run beside the replay.
func checkWith(commands []string, clock simulation.Time) error {
	var problems []error
	for _, command := range commands {
		switch {
		case strings.TrimSpace(command) == "":
			problems = append(problems, fmt.Errorf("invalid --with %q: must be a command line", command))
		case strings.ContainsRune(command, 0):
			problems = append(problems, fmt.Errorf("invalid --with %q: must not contain NUL bytes", command))
		case clock != simulation.Real:
			problems = append(problems, fmt.Errorf("invalid --with %q: requires --time %s; in virtual time no other program can reach the control plane", command, simulation.Real))
		}
	}
	return errors.Join(problems...)
}
