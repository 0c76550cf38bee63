package tracer

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/tracer/server"
	"simkube.io/simkube/internal/tracer/watch"
	"simkube.io/simkube/trace"
)

// Status returns the status of the tracer, without the exports, which the server adds.
func (t *Tracer) Status() simkubev1.TracerStatus {
	stats := t.log.Stats()
	status := simkubev1.TracerStatus{
		Version: t.opts.Version,
		Started: t.started.UTC(),
		Ready:   true,
		Log: simkubev1.TracerLog{
			Bytes: stats.Bytes, Events: int64(stats.Events), Pending: int64(stats.Appended - stats.Durable),
			Retention: int64(t.opts.Log.Retention / time.Second), MaxBytes: t.opts.Log.MaxSize,
		},
	}
	if stats.Appended > 0 {
		status.Log.Begin, status.Log.Last = time.UnixMilli(stats.Begin).UTC(), time.UnixMilli(stats.Last).UTC()
	}
	if err := t.configError(); err != nil {
		status.Config = err.Error()
	}
	for _, check := range t.Ready() {
		status.Ready = status.Ready && (check.OK || check.Optional)
	}
	for _, f := range t.running() {
		s := f.watcher.Status()
		kind := simkubev1.TracerKind{
			Kind: trace.FormatGVK(f.kind.gvk), State: stateOf(s), Since: s.Since.UTC(), Objects: f.count.Load(),
		}
		if kind.State != simkubev1.KindSynced && kind.State != simkubev1.KindListing {
			kind.Detail = s.Error
		}
		status.Kinds = append(status.Kinds, kind)
	}
	return status
}

func stateOf(s watch.Status) simkubev1.TracerKindState {
	switch s.State {
	case watch.Listing:
		return simkubev1.KindListing
	case watch.Synced:
		return simkubev1.KindSynced
	case watch.Missing:
		return simkubev1.KindMissing
	case watch.Forbidden:
		return simkubev1.KindForbidden
	case watch.Reconnecting:
		return simkubev1.KindFailing
	default:
		return simkubev1.KindPending
	}
}

// Ready returns checks of whether everything that can be recorded is. A kind that the cluster does
// not have, or that is forbidden, is reported but does not fail, nor does a watch that is being
// resumed. It fails if none of the configured kinds can be read.
func (t *Tracer) Ready() []server.ReadyCheck {
	var checks []server.ReadyCheck
	recorded := map[schema.GroupVersionKind]bool{} // by kind, whether it was listed once
	if err := t.configError(); err != nil {
		checks = append(checks, server.ReadyCheck{Name: "config", Optional: true, Detail: err.Error()})
	}
	followers := t.running()
	if len(followers) == 0 {
		checks = append(checks, server.ReadyCheck{Name: "watches", Detail: "no kind is followed yet"})
	}
	for _, f := range followers {
		s := f.watcher.Status()
		if f.objects != nil {
			recorded[f.kind.gvk] = s.HasSynced
		}
		check := server.ReadyCheck{Name: trace.FormatGVK(f.kind.gvk), OK: s.State == watch.Synced}
		if !check.OK {
			check.Optional = s.HasSynced || s.State == watch.Missing || s.State == watch.Forbidden
			check.Detail = string(s.State)
			if s.Error != "" {
				check.Detail = fmt.Sprintf("%s: %s", s.State, s.Error)
			}
		}
		checks = append(checks, check)
	}
	if len(recorded) > 0 && !slices.Contains(slices.Collect(maps.Values(recorded)), true) {
		checks = append(checks, server.ReadyCheck{Name: "configured kinds", Detail: "none of them is recorded: see the other checks"})
	}
	return checks
}

func (t *Tracer) configError() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.configErr
}
