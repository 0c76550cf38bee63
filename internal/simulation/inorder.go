package simulation

import (
	"context"
	"os"
	"runtime"

	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/order"
	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
)

// newSurvey returns a survey of no events, and forgets the owners of another one.
func (p *Prepared) newSurvey(config *trace.Config, volumeSurvey *volumes.Survey) *nodes.Survey {
	p.owners = newOwners()
	survey := nodes.NewSurvey(config)
	survey.OnWorkload = p.owners.applied
	survey.UseVolumes(volumeSurvey)
	return survey
}

// surveyInOrder reads the trace again, now that it is known in which order objects were applied and
// deleted within a second. Only the whole trace says that. An object that was deleted and created
// again exists afterwards: it needs nodes, and its pods are those of another incarnation.
func (p *Prepared) surveyInOrder(ctx context.Context, volumeSurvey *volumes.Survey) (*nodes.Survey, error) {
	file, err := os.Open(p.spec.Trace)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := trace.NewReader(file)
	if err != nil {
		return nil, err
	}
	survey := p.newSurvey(reader.Config(), volumeSurvey)
	for index := range p.events {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		event, err := reader.Next()
		if err != nil {
			return nil, err
		}
		for _, piece := range order.Pieces(event, p.orders.Of(index)) {
			survey.Add(&piece)
			p.owners.deleted(&piece)
		}
		if index%yieldEvery == 0 {
			runtime.Gosched()
		}
	}
	return survey, nil
}
