package watch

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"

	"simkube.io/simkube/internal/tracer/manifest"
)

// pageSize is the number of objects per page. The API server holds a page in memory until it is
// sent.
const pageSize = 500

// list passes on all objects, requested in pages, and stores the version of the list.
//
// It sets no resource version, so that the list is not older than the request. A list from the API
// server's cache (resourceVersion=0) costs less, but may be older than objects that are already
// known, which would then count as deleted.
func (w *Watcher) list(ctx context.Context) *ending {
	action := "list " + w.what()
	w.tracker.enter(Listing)
	asked := w.clock.Now()
	query := url.Values{}
	if w.expired < maxExpired {
		query.Set("limit", strconv.Itoa(pageSize))
	}
	for began := false; ; began = true {
		version, next, end := w.page(ctx, action, query, !began)
		if end != nil {
			if end.reason == Expired {
				w.expired++
			}
			return end
		}
		if next != "" {
			query.Set("continue", next)
			continue
		}
		if end := w.listed(ctx, Paged, asked); end != nil {
			return end
		}
		w.expired = 0
		w.progress(version)
		return nil
	}
}

// maxExpired is the number of lists in a row with expired pages after which the list is requested
// in one piece. That costs the API server memory, but not the Watcher, which reads the list as it
// arrives.
const maxExpired = 2

// page passes on the objects of one page, and returns the version of the list and the token for the
// next page.
func (w *Watcher) page(ctx context.Context, action string, query url.Values, first bool) (version, next string, end *ending) {
	answer, end := w.client.get(ctx, w.clock, action, w.path, query, answerSilence)
	if end != nil {
		return "", "", end
	}
	defer answer.close()
	if first {
		if err := w.handler.Begin(ctx); err != nil {
			return "", "", byHandler(err)
		}
	}
	reader := manifest.NewListReader(answer)
	for {
		object, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF) && reader.ResourceVersion() == "":
			return "", "", failed(errors.New(action + ": the list has no resource version"))
		case errors.Is(err, io.EOF):
			return reader.ResourceVersion(), reader.Continue(), nil
		case err != nil:
			return "", "", broken(action, err)
		}
		w.tracker.received(len(object))
		if err := w.handler.Object(ctx, object); err != nil {
			return "", "", byHandler(err)
		}
	}
}
