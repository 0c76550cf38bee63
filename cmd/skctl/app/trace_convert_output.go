package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/storage"
)

// checkNewTrace returns the path of a trace that is made of others. If output is set, it must not
// be one of the inputs. Otherwise the trace gets the name of the first input with a suffix, in the
// working directory, and must not exist yet.
func checkNewTrace(output string, inputs []string, suffix string) (string, error) {
	if output == "" {
		if inputs[0] == standardInput {
			return "", errors.New("--output is required: there is no default for the standard input")
		}
		output = newTraceName(inputs[0], suffix)
		if _, err := os.Lstat(output); err == nil {
			return "", fmt.Errorf("--output is required: its default, %s, exists; use --output %s to replace it", output, output)
		}
	}
	target, err := storage.Parse(output)
	if err != nil {
		return "", fmt.Errorf("invalid --output: %w", err)
	}
	for _, input := range inputs {
		source, err := storage.Parse(input)
		if input == standardInput || err != nil {
			continue
		}
		if source.String() == target.String() || source.Local() && target.Local() && sameFile(source.Key, target.Key) {
			return "", fmt.Errorf("invalid --output %s: must not be the input", output)
		}
	}
	return output, nil
}

// newTraceName returns the name of a file in the working directory.
func newTraceName(input, suffix string) string {
	base := path.Base(filepath.ToSlash(strings.TrimRight(input, "/")))
	if name, _, isURL := strings.Cut(base, "?"); isURL && strings.Contains(input, "://") {
		base = name
	}
	for _, ext := range []string{".gz", ".zst", ".sktrace", ".yaml", ".yml", ".jsonl", ".json"} {
		base = strings.TrimSuffix(base, ext)
	}
	return base + suffix + ".sktrace"
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// printNotes prints notes about the input.
func (p *program) printNotes(notes []string) {
	for _, note := range notes {
		p.warnf("%s", note)
	}
}

// printNewTrace prints what a new trace contains.
func (p *program) printNewTrace(out *outputFile, start, end int64, events int, objects int64) {
	span := "nothing"
	if events > 0 {
		span = time.Unix(start, 0).UTC().Format(time.RFC3339) + " to " + time.Unix(end, 0).UTC().Format(time.RFC3339)
	}
	p.notef("%s: %s with %s, %s", out.Name, words.Count(events, "event"), words.Count(objects, "object"), span)
}

// closeAll closes all files, also after an error.
func closeAll[T io.Closer](files []T) error {
	var errs []error
	for _, file := range files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
