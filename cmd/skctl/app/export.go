package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cmd/skctl/progress"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/tracerclient"
	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/storage/location"
)

func newExport(p *program) *cobra.Command {
	opts := exportOptions{kube: newKubeFlags()}
	cmd := &cobra.Command{
		Use:     "export",
		Aliases: []string{"ex", "exp", "x"},
		Short:   "Export a trace from a tracer",
		Long: `export asks a tracer for the trace of a period: everything that existed at its beginning, and
everything that happened until its end. The trace appears under --output-path once it has arrived
completely. If --output-path is in a bucket (s3://bucket/key, gs://..., azure://...), the tracer
writes it there with its own credentials, if its operator allows that.

The tracer is at --tracer-address. If that is not set and nothing responds on this machine, export
searches for the tracer in the cluster of the kubeconfig, and reaches it through the API server as
kubectl port-forward does. If it requires a token, export sends that of the kubeconfig, or one of the ServiceAccount
` + tracerclient.ExportServiceAccount + ` in the same namespace. To a --tracer-address it only sends a token that you set.

Times: ` + timespec.AcceptedTimes + `.
A start such as -30m is relative to the end.

export prints which namespaces the filters left out, and how many objects are in each. A command of
--transform that changes nothing is a warning; with --strict it is an error, and nothing is stored.

Exit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted.`,
		Example: `  skctl export --start-time -2h -o morning.sktrace
  skctl export -s 2025-03-01T08:00:00Z -t 2025-03-01T20:00:00Z --included-namespaces shop,ci
  skctl export -s -1d --excluded-labels 'app=loadtest,tier!=prod' -o s3://traces/prod/day.sktrace`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan, err := opts.plan(cmd, time.Now())
			if err != nil {
				return usage(cmd, err)
			}
			return p.runExport(cmd.Context(), plan, opts)
		},
	}
	opts.addFlags(cmd)
	return cmd
}

func (p *program) runExport(ctx context.Context, plan exportPlan, opts exportOptions) error {
	if opts.transform != "" {
		text, err := os.ReadFile(opts.transform)
		if err != nil {
			return fmt.Errorf("read the transformation %s: %w", opts.transform, reason(err))
		}
		plan.request.Transform, plan.request.StrictTransform = string(text), opts.strict
	}
	if plan.output.Local() {
		if err := checkExportOutput(plan.output.Key); err != nil {
			return err
		}
	}
	tracer, err := p.connectTracer(ctx, opts)
	if err != nil {
		return err
	}
	err = p.exportFrom(ctx, tracer, plan)
	// A connection that is not closed properly loses nothing.
	_ = tracer.close()
	return err
}

func (p *program) exportFrom(ctx context.Context, tracer *tracerConnection, plan exportPlan) error {
	from, to := time.Unix(plan.request.StartTS, 0).UTC(), time.Unix(plan.request.EndTS, 0).UTC()
	what := fmt.Sprintf("exporting %s to %s from %s", from.Format(time.RFC3339), to.Format(time.RFC3339), tracer.name)
	transfer := progress.NewTransfer(p.streams.Err, what, p.displayOptions())
	saved, report, err := func() (saved tracerclient.Contents, _ *simkubev1.ExportReport, err error) {
		defer transfer.Close()
		export, err := tracer.client.Export(ctx, plan.request)
		if err != nil {
			return saved, nil, err
		}
		defer export.Body.Close()
		saved = export.Stored
		if plan.output.Local() {
			if saved, err = tracerclient.Save(ctx, export.Body, plan.output.Key, transfer.Add); err != nil {
				return saved, nil, err
			}
		}
		report, err := export.Report()
		return saved, report, err
	}()
	if err != nil {
		return exportError(ctx, tracer, err)
	}
	p.printExported(plan, saved, report)
	if plan.request.StrictTransform && report == nil {
		return hint(fmt.Errorf("exported to %s, but the tracer does not report whether a command of --transform changes nothing", plan.output),
			"update the tracer, or export without --transform and use skctl transform --strict")
	}
	return nil
}

// printExported prints what was exported.
func (p *program) printExported(plan exportPlan, saved tracerclient.Contents, report *simkubev1.ExportReport) {
	if saved.Start > plan.request.StartTS {
		p.warnf("the tracer's data begins at %s, and so does the trace", time.Unix(saved.Start, 0).UTC().Format(time.RFC3339))
	}
	p.printReport(plan, report)
	if saved == (tracerclient.Contents{}) {
		// Older tracers do not report what they wrote.
		p.notef("exported to %s", plan.output)
		return
	}
	if saved.Objects == 0 {
		excluded := "none"
		if names := plan.request.Filters.ExcludedNamespaces; len(names) > 0 {
			excluded = strings.Join(names, ",")
		}
		p.warnf("the trace has no objects: nothing was recorded in that time, or the filters excluded it (--excluded-namespaces %s)", excluded)
	}
	p.notef("exported %s events with %s objects, %s, to %s",
		words.Number(saved.Events), words.Number(saved.Objects), progress.Bytes(saved.Bytes), plan.output)
}

// exportError adds hints to the error of an export.
func exportError(ctx context.Context, tracer *tracerConnection, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err = fmt.Errorf("export from %s: %w", tracer.name, err)
	var (
		api       *tracerclient.APIError
		untrusted *tls.CertificateVerificationError
	)
	switch isAPI := errors.As(err, &api); {
	case errors.Is(err, http.ErrSchemeMismatch):
		return hint(err, "the tracer does not use TLS: use --tracer-address http://...")
	case errors.As(err, &untrusted):
		return hint(err, "use --tracer-ca-file with the CA certificate of the tracer; its certificate must be valid for the name in the address")
	case !isAPI:
		return err
	case api.Status == http.StatusUnauthorized && !tracer.forwarded:
		return hint(err, "use a token: kubectl create token %s -n %s > token, then --token-file token",
			tracerclient.ExportServiceAccount, tracerclient.DefaultNamespace)
	case api.Status == http.StatusUnauthorized:
		return hint(err, "use another token with --token-file")
	case strings.Contains(api.Response.Message, "HTTP request to an HTTPS server"):
		return hint(err, "the tracer uses TLS: forward its port with kubectl port-forward, and use --tracer-address https://..., with --tracer-ca-file if necessary")
	case api.Status == http.StatusTooManyRequests:
		return hint(err, "wait for other exports to end, and try again")
	case api.Status == http.StatusNotFound && api.Response.Message == http.StatusText(http.StatusNotFound):
		return hint(err, "check that --tracer-address is the address of a tracer")
	}
	return err
}

// checkExportOutput checks before a long export whether its trace can be stored.
func checkExportOutput(path string) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return hint(fmt.Errorf("store the trace in %s: %w", filepath.Dir(path), reason(err)), "create the folder, or use another --output-path")
	}
	if err := tracerclient.CheckPlace(path); err != nil {
		return hint(err, "use a file as --output-path")
	}
	return nil
}

// exportPlan is what to export, from where and to where.
type exportPlan struct {
	request simkubev1.ExportRequest
	output  location.Location
}
