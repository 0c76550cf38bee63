package watch

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"

	"simkube.io/simkube/internal/tracer/manifest"
)

// pageSize is how many objects the API server is asked for at once. It holds a page in memory until it is sent.
const pageSize = 500

// list hands on everything there is, asked for in pages, and notes the version that it is of.
//
// No resource version is asked for, so that the list is not older than the request. A list from the API server's cache (resourceVersion=0)
// costs it less, but may be older than what is known already: then objects that exist would count as deleted.
func (w *Watcher) list(ctx context.Context) *ending {
	doing := "list " + w.what()
	w.keeper.enter(Listing)
	asked := w.clock.Now()
	query := url.Values{}
	if w.expired < maxExpired {
		query.Set("limit", strconv.Itoa(pageSize))
	}
	for began := false; ; began = true {
		version, next, end := w.page(ctx, doing, query, !began)
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

// maxExpired is after how many lists in a row whose pages the API server had given up before they were asked for the list is asked
// for in one piece: it is read as it comes, so that this costs the API server memory, and nothing here.
const maxExpired = 2

// page hands on the objects of one page, and gives the version of the list and the token for the rest of it.
func (w *Watcher) page(ctx context.Context, doing string, query url.Values, first bool) (version, next string, end *ending) {
	answer, end := w.client.get(ctx, w.clock, doing, w.path, query, answerSilence)
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
			return "", "", failed(errors.New(doing + ": the list has no resource version"))
		case errors.Is(err, io.EOF):
			return reader.ResourceVersion(), reader.Continue(), nil
		case err != nil:
			return "", "", broken(doing, err)
		}
		w.keeper.received(len(object))
		if err := w.handler.Object(ctx, object); err != nil {
			return "", "", byHandler(err)
		}
	}
}
