package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	apiwatch "k8s.io/apimachinery/pkg/watch"

	"simkube.io/simkube/internal/tracer/manifest"
)

const (
	// A watch is asked to last from leastWatch to twice that, so that many don't end at once.
	leastWatch = 5 * time.Minute
	// catchUp is how long a watch is asked to last that first brings what happened during an
	// outage: API servers send a bookmark before the end, which says that all of that has come.
	catchUp = 10 * time.Second
	// endSilence is how long after its time a watch may end. Before that, nothing need come: API servers send a bookmark only when something in the
	// cluster changed since the one before, as far as they have heard. A connection that broke without a word is noticed by HTTP/2 long before.
	endSilence = time.Minute
	// pagedFor is how long lists are asked for in pages once the API server refused to stream one. It may be another one then.
	pagedFor = time.Hour
	// maxUnfinished is after how many streamed lists in a row that didn't come to their end the next one is asked for in pages.
	maxUnfinished = 3
	// maxStuck is how often an error of the API server is answered by asking for the same again. Then everything is asked for anew.
	maxStuck = 3
)

// watch hands on what changes after the version, or, if initial, all there is and then what changes, until the API server or the network
// ends it.
func (w *Watcher) watch(ctx context.Context, initial bool) *ending {
	doing := "watch " + w.what()
	lasts := leastWatch + rand.N(leastWatch)
	longest := lasts + endSilence
	if !initial && w.horizon.late() {
		lasts = catchUp
	}
	query := url.Values{
		"watch":               {"true"},
		"allowWatchBookmarks": {"true"},
		"timeoutSeconds":      {strconv.Itoa(int(lasts.Seconds()))},
	}
	silence := longest
	if initial {
		w.keeper.enter(Listing)
		silence = answerSilence
		query.Set("sendInitialEvents", "true")
		// An API server that knows nothing of such lists refuses this, and doesn't just leave out their end.
		query.Set("resourceVersionMatch", "NotOlderThan")
	} else {
		query.Set("resourceVersion", w.version)
	}
	asked := w.clock.Now()
	answer, end := w.client.get(ctx, w.clock, doing, w.path, query, silence)
	if end != nil {
		if initial {
			end = unstreamed(end)
		}
		return end
	}
	defer answer.close()
	w.keeper.watched()
	if initial {
		w.unfinished++
		if err := w.handler.Begin(ctx); err != nil {
			return byHandler(err)
		}
	} else {
		w.keeper.enter(Synced)
		answer.follow(&w.horizon)
	}
	w.frames.reset(answer)
	for {
		line, err := w.frames.next()
		switch {
		case errors.Is(err, io.EOF):
			if !initial {
				w.horizon.closed()
			}
			return &ending{reason: Closed}
		case errors.Is(err, errTooLong):
			return failed(fmt.Errorf("%s: %w", doing, err))
		case initial && errors.Is(err, errSilent):
			return &ending{reason: Unsupported, err: fmt.Errorf("%s: the list had no end: %w", doing, errUnsupported)}
		case err != nil:
			return broken(doing, err)
		}
		listed, end := w.frame(ctx, doing, line, initial)
		if end != nil {
			return end
		}
		if listed {
			if end := w.listed(ctx, Streamed, asked); end != nil {
				return end
			}
			initial, w.unfinished = false, 0
			answer.dog.limit = longest
			answer.follow(&w.horizon)
		}
	}
}

// frame hands on what a line of a watch says. It says whether that was the end of a streamed list.
func (w *Watcher) frame(ctx context.Context, doing string, line []byte, initial bool) (listed bool, end *ending) {
	event, object, err := manifest.SplitFrame(line)
	if err != nil {
		return false, failed(fmt.Errorf("%s: read frame of %d bytes: %w", doing, len(line), err))
	}
	switch event := apiwatch.EventType(event); event {
	case apiwatch.Added, apiwatch.Modified, apiwatch.Deleted:
		return false, w.event(ctx, doing, event, object, initial)
	case apiwatch.Bookmark:
		return w.bookmark(doing, object, initial)
	case apiwatch.Error:
		end := refusal(doing, http.StatusInternalServerError, nil, object)
		if initial {
			end = unstreamed(end)
		}
		return false, end
	default:
		return false, failed(fmt.Errorf("%s: read frame of %d bytes: unknown type of event", doing, len(line)))
	}
}

// event hands on an object. Within a streamed list its version says nothing of the others.
func (w *Watcher) event(ctx context.Context, doing string, event apiwatch.EventType, object []byte, initial bool) *ending {
	head, err := manifest.ParseHead(object)
	switch {
	case err != nil:
		return failed(fmt.Errorf("%s: read metadata of object of %d bytes: %w", doing, len(object), err))
	case head.ResourceVersion == "":
		return failed(fmt.Errorf("%s: an object has no resource version", doing))
	}
	w.keeper.received(len(object))
	if event == apiwatch.Deleted {
		err = w.handler.Gone(ctx, object)
	} else {
		err = w.handler.Object(ctx, object)
	}
	if err != nil {
		return byHandler(err)
	}
	if !initial {
		w.progress(head.ResourceVersion)
	}
	return nil
}

// bookmark notes how far the watch is.
func (w *Watcher) bookmark(doing string, object []byte, initial bool) (listed bool, end *ending) {
	b, err := manifest.ParseBookmark(object)
	if err != nil {
		return false, failed(fmt.Errorf("%s: read bookmark: %w", doing, err))
	}
	w.keeper.heard()
	switch {
	case initial && !b.InitialEventsEnd:
		// It was not asked to tell how far it is, but what there is.
		return false, &ending{reason: Unsupported, err: fmt.Errorf("%s: %w", doing, errUnsupported)}
	case !initial && goesBack(w.version, b.ResourceVersion):
		return false, &ending{reason: Expired, err: fmt.Errorf(
			"%s: the API server is at version %s after %s: its store was set back", doing, b.ResourceVersion, w.version)}
	}
	if !initial {
		w.horizon.bookmark()
	}
	w.progress(b.ResourceVersion)
	return initial, nil
}

// goesBack says whether one version is before another. Where they aren't numbers, nobody can tell.
func goesBack(before, after string) bool {
	b, err := strconv.ParseUint(before, 10, 64)
	if err != nil {
		return false
	}
	a, err := strconv.ParseUint(after, 10, 64)
	return err == nil && a < b
}

// unstreamed is how a refusal is understood where a streamed list was asked for: it may be the streaming that is refused.
func unstreamed(end *ending) *ending {
	var r *refused
	if !errors.As(end.err, &r) {
		return end
	}
	switch r.code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusMethodNotAllowed, http.StatusNotImplemented:
	case http.StatusForbidden:
		// What may not be watched is refused with the same code.
		if !strings.Contains(r.message, "sendInitialEvents") {
			return end
		}
	default:
		return end
	}
	return &ending{reason: Unsupported, err: fmt.Errorf("%w (%w)", errUnsupported, end.err)}
}
