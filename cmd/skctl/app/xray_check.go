package app

import (
	"context"

	"simkube.io/simkube/internal/timeline"
	"simkube.io/simkube/internal/validate"
	"simkube.io/simkube/internal/xray"
	"simkube.io/simkube/trace"
)

// checkTrace returns a function that validates a file like skctl validate. It opens the file
// itself.
func checkTrace(path string) func(ctx context.Context, report func(xray.Finding)) error {
	return func(ctx context.Context, report func(xray.Finding)) error {
		file, err := trace.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = validate.Check(ctx, &file.Reader, validate.Options{
			Config:    file.Config(),
			OnFinding: func(f *validate.Finding) { report(xrayFinding(f)) },
		})
		return err
	}
}

func xrayFinding(f *validate.Finding) xray.Finding {
	out := xray.Finding{
		Event: f.Event, Code: f.Rule.Code, Severity: xray.SeverityWarning, Field: f.Path, Message: f.Message, Help: f.Rule.Help, Count: f.Count,
	}
	switch f.Rule.Severity {
	case validate.Error:
		out.Severity = xray.SeverityError
	case validate.Info:
		out.Severity = xray.SeverityInfo
	}
	if f.Object != nil {
		namespace, name := trace.SplitNamespacedName(f.Object.Name)
		out.Object = timeline.Key{GVK: f.Object.GVK, Namespace: namespace, Name: name}
	}
	return out
}
