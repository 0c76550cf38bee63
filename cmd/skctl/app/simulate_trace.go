package app

import (
	"context"
	"errors"
	"fmt"

	"simkube.io/simkube/internal/scratch"
	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/skel"
)

// preparedTrace holds the temporary files of a simulation's trace.
type preparedTrace struct {
	input *inputFile
	dir   *scratch.Folder // of the changed trace; may be nil
}

// Close removes the temporary files.
func (t *preparedTrace) Close() error {
	var err error
	if t.dir != nil {
		err = t.dir.Close()
	}
	return errors.Join(err, t.input.Close())
}

// prepareTrace fetches a simulation's trace and changes it with a SKEL program, if there is one. It
// sets the path of the result in the spec. If strict is set, commands of the program that change
// nothing are an error.
func (p *program) prepareTrace(ctx context.Context, spec *simulation.Spec, skelFile string, strict bool) (_ *preparedTrace, err error) {
	var program *skel.Program
	if skelFile != "" {
		if program, err = compileProgram(skelFile, ""); err != nil {
			return nil, err
		}
	}
	input, err := p.fetch(ctx, spec.Trace)
	if err != nil {
		return nil, err
	}
	out := &preparedTrace{input: input}
	if input.fetched != nil {
		spec.Trace, spec.TraceName = input.Path, input.Name
	}
	if program == nil {
		return out, nil
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Close())
		}
	}()
	if out.dir, err = scratch.New("", scratch.RunPrefix); err != nil {
		return nil, fmt.Errorf("create a folder for the changed trace: %w", err)
	}
	changed := &outputFile{Path: out.dir.Join("changed.sktrace")}
	summary, err := p.transform(ctx, program, input, changed, transformOptions{})
	if err != nil {
		return nil, err
	}
	unmatched, err := p.unmatched(ctx, program, summary, input)
	if err != nil {
		return nil, err
	}
	if len(unmatched) > 0 && strict {
		return nil, hint(fmt.Errorf("%s: %w", skelFile, unmatchedError(unmatched)), "correct the program, or omit --strict")
	}
	for _, u := range unmatched {
		p.warnf("%s: %s", skelFile, unmatchedText(u.Line, u.Command, u.Hint))
	}
	spec.Trace, spec.TraceName = changed.Path, input.Name+" changed by "+skelFile
	p.notef("%s changed %s: %s objects matched, %s fields modified, %s objects deleted", skelFile, input.Name,
		words.Number(summary.Objects), words.Number(summary.Fields), words.Number(summary.Deleted))
	return out, nil
}
