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

// checkNewTrace gives where a trace goes that is made of others: where the user says, which must not be one of them, or else a file in the working
// directory that is called like the first of them, with a suffix, and that does not exist yet.
func checkNewTrace(output string, inputs []string, suffix string) (string, error) {
	if output == "" {
		if inputs[0] == standardInput {
			return "", errors.New("--output is missing: the standard input has no name of which one could be made")
		}
		output = newTraceName(inputs[0], suffix)
		if _, err := os.Lstat(output); err == nil {
			return "", fmt.Errorf("--output is missing: %s, as the new trace would be called, exists; --output %s replaces it", output, output)
		}
	}
	target, err := storage.Parse(output)
	if err != nil {
		return "", fmt.Errorf("--output: %w", err)
	}
	for _, input := range inputs {
		source, err := storage.Parse(input)
		if input == standardInput || err != nil {
			continue
		}
		if source.String() == target.String() || source.Local() && target.Local() && sameFile(source.Key, target.Key) {
			return "", fmt.Errorf("--output %s: that is the input, which stays as it is; name another file", output)
		}
	}
	return output, nil
}

// newTraceName gives the name of a file in the working directory.
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

// printNotes prints what was odd.
func (p *program) printNotes(notes []string) {
	for _, note := range notes {
		p.warnf("%s", note)
	}
}

// printNewTrace says what a trace has that was made.
func (p *program) printNewTrace(out *outputFile, start, end int64, events int, objects int64) {
	span := "nothing"
	if events > 0 {
		span = time.Unix(start, 0).UTC().Format(time.RFC3339) + " to " + time.Unix(end, 0).UTC().Format(time.RFC3339)
	}
	p.notef("%s: %s with %s, %s", out.Name, words.Count(events, "event"), words.Count(objects, "object"), span)
}

// closeAll closes what there is, whatever comes of it.
func closeAll[T io.Closer](files []T) error {
	var errs []error
	for _, file := range files {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
