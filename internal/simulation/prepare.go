package simulation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/definition"
	"simkube.io/simkube/internal/exclusion"
	"simkube.io/simkube/internal/lifecycle"
	"simkube.io/simkube/internal/nodes"
	"simkube.io/simkube/internal/order"
	"simkube.io/simkube/internal/packing"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/validate"
	"simkube.io/simkube/internal/virtualns"
	"simkube.io/simkube/internal/volumes"
	"simkube.io/simkube/trace"
)

// yieldEvery is how many events the survey reads before it yields the processor.
const yieldEvery = 256

// ErrEmptyTrace is returned for a trace without events: there is nothing to replay.
var ErrEmptyTrace = errors.New("the trace has no events")

// Prepared is a simulation that is ready to run: its trace was read completely, and its nodes are
// planned.
type Prepared struct {
	spec Spec
	plan *nodes.Plan
	// volumes is nil with existing nodes.
	volumes *volumes.Needs

	info       results.TraceInfo
	lifecycles *lifecycle.Store
	owners     *owners
	// namespaces are the names of the namespaces of the trace in a shared cluster.
	namespaces *virtualns.Names
	// orders is in which order objects were applied and deleted within a second.
	orders *order.Orders
	// recorded is what was recorded of pods, which the simulated ones are compared with.
	recorded []results.RecordedOwner
	// origin and end bound the replay, in unix seconds; end includes lifecycles that end after the
	// last event.
	origin, end int64
	// events is the number of events within the bounds.
	events   int
	cronJobs bool
	// finishing reports whether recorded pods finish within the last settleTraceTime.
	finishing bool
	// longest is the longest time without an event.
	longest gap
	// definitions finds the custom kinds that the trace does not define; nil for existing nodes.
	definitions *definition.Survey
	// excluded counts the objects that are left out.
	excluded exclusion.Counter
	// offers are the instances that an autoscaler can choose from; nil without one.
	offers []packing.Offer
}

// Prepare reads the trace of a spec once, without keeping its events, and plans the nodes. It
// writes nothing and does not read the output folder: its content must not affect a simulation with
// a seed. The errors are about the spec or the files it names.
func Prepare(ctx context.Context, spec Spec) (*Prepared, error) {
	if spec.Speed == 0 {
		spec.Speed = 1
	}
	if spec.Time == "" {
		spec.Time = Real
	}
	p := &Prepared{spec: spec, namespaces: virtualns.New(spec.NamespacePrefix)}
	p.excluded.Shared = spec.ExistingNodes
	if !spec.ExistingNodes {
		var err error
		if p.definitions, err = newDefinitions(spec.CRDs); err != nil {
			return nil, err
		}
	}
	demand, err := p.survey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read trace %s: %w", spec.Trace, err)
	}
	if err := p.checkLength(p.longest); err != nil {
		return nil, fmt.Errorf("read trace %s: %w", spec.Trace, err)
	}
	if spec.ExistingNodes {
		p.plan = &nodes.Plan{Summary: "those of the cluster"}
		return p, nil
	}
	if spec.Autoscaler != nil {
		if p.offers, err = spec.Autoscaler.offers(); err != nil {
			return nil, err
		}
	}
	if spec.Autoscaler != nil && spec.Nodes.Auto() {
		p.plan = &nodes.Plan{Summary: "no nodes at the start: " + string(spec.Autoscaler.Kind) + " adds and removes them"}
		return p, nil
	}
	if spec.Autoscaler != nil {
		demand = demand.AtStart()
	}
	if p.plan, err = nodes.Prepare(spec.Nodes, demand); err != nil {
		return nil, err
	}
	if spec.Autoscaler != nil {
		// It adds nodes for pods that these cannot run.
		p.plan.Findings, p.plan.Shortages = nil, nil
		if note := unsizedNote(p.plan); note != "" {
			p.plan.Given = append(p.plan.Given, note)
		}
	}
	return p, nil
}

// Nodes returns how many nodes there are at the start.
func (p *Prepared) Nodes() int { return len(p.plan.Nodes) }

// survey reads the trace once.
func (p *Prepared) survey(ctx context.Context) (*nodes.Demand, error) {
	file, err := os.Open(p.spec.Trace)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	reader, err := trace.NewReader(io.TeeReader(file, hash))
	if err != nil {
		return nil, err
	}
	volumeSurvey := volumes.NewSurvey(reader.Config())
	survey := p.newSurvey(reader.Config(), volumeSurvey)
	orders := order.NewSurvey()
	first, last, count := int64(0), int64(0), 0
	var length span
	for event, err := range reader.Events() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		if count == 0 {
			first = event.Time
		}
		last = event.Time
		orders.Add(event)
		// A simulation with a seed has one processor and no preemption, and collects garbage between two
		// goroutines only.
		if count++; count%yieldEvery == 0 {
			runtime.Gosched()
		}
		if p.beyond(first, event.Time) {
			continue
		}
		if err := bearable(p.events, event); err != nil {
			return nil, err
		}
		length.add(event.Time)
		volumeSurvey.Add(event)
		survey.Add(event)
		p.excluded.Add(event)
		if p.spec.ExistingNodes {
			p.namespaces.Add(event)
		}
		if p.definitions != nil {
			p.definitions.Add(event)
		}
		p.owners.deleted(event)
		p.events++
		p.cronJobs = p.cronJobs || hasCronJob(event)
	}
	tail, err := reader.Tail()
	if err != nil {
		return nil, err
	}
	if count == 0 {
		return nil, ErrEmptyTrace
	}
	p.info = results.TraceInfo{
		Path:   p.spec.TraceLabel(),
		SHA256: hex.EncodeToString(hash.Sum(nil)),
		Start:  time.Unix(first, 0).UTC(),
		End:    time.Unix(last, 0).UTC(),
		Events: count,
	}
	if p.orders = orders.Orders(tail); !p.orders.Empty() {
		if survey, err = p.surveyInOrder(ctx, volumeSurvey); err != nil {
			return nil, err
		}
	}
	p.lifecycles = lifecycle.NewStore(tail.Lifecycles, p.owners.history)
	p.recorded = recordedOwners(tail.Lifecycles, p.owners.asked)
	p.bound(first, last, tail.Lifecycles)
	length.end(p.end)
	p.longest = length.longest
	if !p.spec.ExistingNodes {
		p.volumes = volumeSurvey.Needs()
	}
	return survey.Demand(tail.Lifecycles), nil
}

// beyond reports whether the spec's duration excludes a time.
func (p *Prepared) beyond(origin, t int64) bool {
	return p.spec.Duration > 0 && distance(origin, t) > int64(p.spec.Duration/time.Second)
}

// bearable returns an error for an event with an object that would crash the control plane.
func bearable(index int, event *trace.Event) error {
	for i := range event.Applied {
		object := &event.Applied[i]
		if found := validate.FindHarmfulValues(object); len(found) > 0 {
			return fmt.Errorf("event %d: %s %s: %s: %s (skctl validate finds all such values, and how to fix them)",
				index, trace.FormatGVK(object.GVK()), object.NamespacedName(), found[0].Path, found[0].Reason)
		}
	}
	return nil
}

// bound sets when the replay ends: with the last event or the last recorded start or end of a pod,
// whichever is later, but not after the spec's duration.
func (p *Prepared) bound(first, last int64, lifecycles trace.Lifecycles) {
	p.origin, p.end = first, last
	for _, byHash := range lifecycles {
		for _, list := range byHash {
			for _, l := range list {
				switch l.State {
				case trace.Finished:
					p.end = max(p.end, l.Start, l.End)
				case trace.Running:
					p.end = max(p.end, l.Start)
				}
			}
		}
	}
	limit := first + min(int64(p.spec.Duration/time.Second), distance(first, math.MaxInt64))
	if p.beyond(first, p.end) || p.spec.Extend && limit > p.end {
		p.end = limit
	}
	tail := p.end - int64(settleTraceTime/time.Second)
	for _, byHash := range lifecycles {
		for _, list := range byHash {
			p.finishing = p.finishing || slices.ContainsFunc(list, func(l trace.Lifecycle) bool {
				return l.State == trace.Finished && l.End >= tail && l.End <= p.end
			})
		}
	}
}

func hasCronJob(event *trace.Event) bool {
	kind := schema.GroupKind{Group: "batch", Kind: "CronJob"}
	for i := range event.Applied {
		if event.Applied[i].GVK().GroupKind() == kind {
			return true
		}
	}
	return false
}

// traceInfo describes the trace for the results, with its absolute path, which is valid in every
// folder.
func (p *Prepared) traceInfo() results.TraceInfo {
	info := p.info
	if strings.Contains(info.Path, "://") {
		return info
	}
	if abs, err := filepath.Abs(info.Path); err == nil {
		info.Path = abs
	}
	return info
}

// Notes returns the notes for the user before the simulation starts.
func (p *Prepared) Notes() []Note {
	notes := []Note{{Level: Info, Text: p.plan.Summary}}
	for _, text := range p.plan.Given {
		notes = append(notes, Note{Level: Info, Text: text})
	}
	for _, text := range slices.Concat(p.plan.Notes, p.plan.Shortages) {
		notes = append(notes, Note{Level: Warning, Text: text})
	}
	notes = append(notes, p.volumeNotes()...)
	for _, finding := range p.plan.Findings {
		notes = append(notes, Note{Level: Warning, Text: finding.String()})
	}
	if text := p.definitionsNote(); text != "" {
		notes = append(notes, Note{Level: Info, Text: text})
	}
	for _, text := range p.excluded.Notes() {
		notes = append(notes, Note{Level: Info, Text: text})
	}
	if text := p.dateNote(); text != "" {
		notes = append(notes, Note{Level: Info, Text: text})
	}
	if text := p.longNote(); text != "" {
		notes = append(notes, Note{Level: Warning, Text: text})
	}
	if p.cronJobs && p.spec.Speed != 1 {
		notes = append(notes, Note{Level: Warning, Text: cronJobWarning(p.spec.Speed)})
	}
	return notes
}

// cronJobWarning describes the effect of a speed other than 1 on CronJobs.
func cronJobWarning(speed float64) string {
	share := fmt.Sprintf("%.3g times as many runs", 1/speed)
	if speed > 1 {
		share = fmt.Sprintf("about one in %.3g of their runs", speed)
	}
	return fmt.Sprintf("CronJobs are started by the wall clock, whatever the speed: at speed %g expect %s", speed, share)
}
