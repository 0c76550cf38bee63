package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	simkubev1 "simkube.io/simkube/api/v1"
)

// export handles POST /export.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	request, err := readRequest(w, r)
	if err == nil {
		err = s.checkTransform(request)
	}
	var invalid *RequestError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &invalid):
		s.fail(w, http.StatusBadRequest, "invalid request: "+invalid.Error(), invalid.Problems...)
		return
	case errors.As(err, &large):
		s.fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than %d bytes", large.Limit))
		return
	case err != nil:
		s.fail(w, http.StatusBadRequest, "read the request: "+err.Error())
		return
	}
	to, err := target(request.ExportPath, s.opts.Allowed)
	var denied *notAllowedError
	switch {
	case errors.As(err, &denied):
		s.fail(w, http.StatusForbidden, denied.Error())
		return
	case err != nil:
		s.fail(w, http.StatusBadRequest, "invalid request: export_path: "+err.Error(), simkubev1.Problem{Field: "export_path", Message: err.Error()})
		return
	case to.url != "" && s.opts.Storage == nil:
		s.fail(w, http.StatusForbidden, "export to "+to.url+": this tracer cannot write to buckets")
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		w.Header().Set("Retry-After", "10")
		s.fail(w, http.StatusTooManyRequests, fmt.Sprintf("%d exports are running, which is the maximum (--max-exports); try again later", cap(s.slots)))
		return
	}
	if to.url != "" {
		s.exportToBucket(r.Context(), w, request, to.url)
		return
	}
	s.exportToClient(w, r, request, to.name)
}

func (s *Server) checkTransform(request simkubev1.ExportRequest) error {
	if request.Transform == "" {
		return nil
	}
	if s.opts.CheckTransform == nil {
		return &RequestError{[]simkubev1.Problem{{
			Field: "transform", Message: "this tracer cannot transform traces; omit it, and transform the trace afterwards",
		}}}
	}
	if problems := s.opts.CheckTransform(request.Transform); len(problems) > 0 {
		return &RequestError{problems}
	}
	return nil
}

// exportToClient responds with the trace. An error after a part of it was sent closes the
// connection, which is how the client notices the error.
func (s *Server) exportToClient(w http.ResponseWriter, r *http.Request, request simkubev1.ExportRequest, name string) {
	logger, begin := s.loggerFor(r.Context()).With("to", "client"), s.opts.Clock.Now()
	if reports(&request) {
		w.Header().Set("Trailer", simkubev1.HeaderExportReport)
	}
	body := newBody(w, acceptedEncoding(r.Header), name, s.opts.StallTimeout)
	summary, err := s.opts.Exporter.Export(r.Context(), request, body)
	if err == nil {
		err = body.Close()
	} else {
		body.discard()
	}
	if err == nil {
		s.setReport(r.Context(), w, simkubev1.HeaderExportReport, summary.Report)
		s.logDone(r.Context(), logger, request, summary, body.sent(), begin)
		return
	}
	if body.sent() == 0 {
		w.Header().Del("Trailer")
		s.failExport(r.Context(), w, logger, err)
		return
	}
	logger.WarnContext(r.Context(), "abort an export", "sentBytes", body.sent(), "error", err)
	panic(http.ErrAbortHandler)
}

// failExport responds to an export of which nothing was sent.
func (s *Server) failExport(ctx context.Context, w http.ResponseWriter, logger *slog.Logger, err error) {
	var invalid *RequestError
	switch {
	case errors.As(err, &invalid):
		s.fail(w, http.StatusBadRequest, "invalid request: "+invalid.Error(), invalid.Problems...)
	case ctx.Err() != nil:
		// Either the client is gone, or the server is being stopped.
		logger.InfoContext(ctx, "cancel an export", "error", err)
		s.fail(w, http.StatusServiceUnavailable, "the export was canceled: the tracer is being stopped")
	default:
		logger.ErrorContext(ctx, "export", "error", err)
		s.fail(w, http.StatusInternalServerError, "export the trace: "+err.Error())
	}
}

// exportToBucket writes the trace to a bucket, and responds when it is complete.
func (s *Server) exportToBucket(ctx context.Context, w http.ResponseWriter, request simkubev1.ExportRequest, url string) {
	logger, begin := s.loggerFor(ctx).With("to", url), s.opts.Clock.Now()
	upload, err := s.opts.Storage.Create(ctx, url)
	if err != nil {
		s.failUpload(ctx, w, logger, err)
		return
	}
	counted := &uploadWriter{upload: upload}
	summary, err := s.opts.Exporter.Export(ctx, request, counted)
	if err == nil {
		counted.err = upload.Commit()
		err = counted.err
	}
	if err == nil {
		s.logDone(ctx, logger, request, summary, counted.n, begin)
		header := w.Header()
		header.Set(simkubev1.HeaderExportEvents, strconv.FormatInt(summary.Events, 10))
		header.Set(simkubev1.HeaderExportObjects, strconv.FormatInt(summary.Objects, 10))
		header.Set(simkubev1.HeaderExportBytes, strconv.FormatInt(counted.n, 10))
		header.Set(simkubev1.HeaderExportStart, strconv.FormatInt(summary.Start, 10))
		s.setReport(ctx, w, simkubev1.HeaderExportReport, summary.Report)
		w.WriteHeader(http.StatusOK)
		return
	}
	if abortErr := upload.Abort(); abortErr != nil {
		logger.ErrorContext(ctx, "remove a partial export", "error", abortErr)
	}
	if counted.err != nil {
		s.failUpload(ctx, w, logger, counted.err)
		return
	}
	s.failExport(ctx, w, logger, err)
}

// failUpload responds to an export that the storage provider rejected.
func (s *Server) failUpload(ctx context.Context, w http.ResponseWriter, logger *slog.Logger, err error) {
	if ctx.Err() != nil {
		s.failExport(ctx, w, logger, err)
		return
	}
	code := http.StatusBadGateway
	if errors.Is(err, ErrNoLocation) {
		code = http.StatusNotFound
	}
	logger.ErrorContext(ctx, "write an export to storage", "error", err)
	s.fail(w, code, fmt.Sprintf("export the trace: %v; nothing was stored", err))
}

func (s *Server) logDone(ctx context.Context, logger *slog.Logger, request simkubev1.ExportRequest, summary Summary, bytes int64, begin time.Time) {
	logger.InfoContext(ctx, "exported a trace", "startTs", request.StartTS, "endTs", request.EndTS, "events", summary.Events, "objects", summary.Objects,
		"bytes", bytes, "duration", s.opts.Clock.Since(begin))
}

// uploadWriter counts the bytes written, and stores errors of the upload.
type uploadWriter struct {
	upload Upload
	n      int64
	err    error
}

func (u *uploadWriter) Write(p []byte) (int, error) {
	n, err := u.upload.Write(p)
	u.n += int64(n)
	if err != nil {
		u.err = err
	}
	return n, err
}
