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
	// The duration of a watch is chosen between minWatch and twice that, so that many watches do not
	// end at the same time.
	minWatch = 5 * time.Minute
	// catchUp is the duration of a watch after an outage, which first brings the changes of the
	// outage: API servers send a bookmark before the end, which confirms that the watch has caught up.
	catchUp = 10 * time.Second
	// endSilence is how long after its duration a watch may end. Until then a silent watch is not an
	// error: API servers send bookmarks only if something in the cluster has changed since the
	// previous one. HTTP/2 detects broken connections much earlier.
	endSilence = time.Minute
	// pagedFor is how long lists are requested in pages after the API server refused to stream one. By
	// then the API server may have been upgraded.
	pagedFor = time.Hour
	// maxUnfinished is the number of streamed lists in a row without an end after which the next list
	// is requested in pages.
	maxUnfinished = 3
	// maxStuck is the number of errors of the API server in a row after which all objects are listed
	// again instead of resuming the watch.
	maxStuck = 3
)

// watch passes on the changes after the version, or, if initial, all existing objects and then the
// changes, until the API server or the network ends the watch.
func (w *Watcher) watch(ctx context.Context, initial bool) *ending {
	action := "watch " + w.what()
	lasts := minWatch + rand.N(minWatch)
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
		w.tracker.enter(Listing)
		silence = answerSilence
		query.Set("sendInitialEvents", "true")
		// An API server that does not know streamed lists rejects this parameter, and does not just omit
		// the end of the list.
		query.Set("resourceVersionMatch", "NotOlderThan")
	} else {
		query.Set("resourceVersion", w.version)
	}
	asked := w.clock.Now()
	answer, end := w.client.get(ctx, w.clock, action, w.path, query, silence)
	if end != nil {
		if initial {
			end = unstreamed(end)
		}
		return end
	}
	defer answer.close()
	w.tracker.watched()
	if initial {
		w.unfinished++
		if err := w.handler.Begin(ctx); err != nil {
			return byHandler(err)
		}
	} else {
		w.tracker.enter(Synced)
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
			return failed(fmt.Errorf("%s: %w", action, err))
		case initial && errors.Is(err, errSilent):
			return &ending{reason: Unsupported, err: fmt.Errorf("%s: the list had no end: %w", action, errUnsupported)}
		case err != nil:
			return broken(action, err)
		}
		listed, end := w.frame(ctx, action, line, initial)
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

// frame handles a line of a watch. It reports whether that was the end of a streamed list.
func (w *Watcher) frame(ctx context.Context, action string, line []byte, initial bool) (listed bool, end *ending) {
	event, object, err := manifest.SplitFrame(line)
	if err != nil {
		return false, failed(fmt.Errorf("%s: read frame of %d bytes: %w", action, len(line), err))
	}
	switch event := apiwatch.EventType(event); event {
	case apiwatch.Added, apiwatch.Modified, apiwatch.Deleted:
		return false, w.event(ctx, action, event, object, initial)
	case apiwatch.Bookmark:
		return w.bookmark(action, object, initial)
	case apiwatch.Error:
		end := refusal(action, http.StatusInternalServerError, nil, object)
		if initial {
			end = unstreamed(end)
		}
		return false, end
	default:
		return false, failed(fmt.Errorf("%s: read frame of %d bytes: unknown type of event", action, len(line)))
	}
}

// event passes on an object. Within a streamed list, the object's version does not order it among
// the others.
func (w *Watcher) event(ctx context.Context, action string, event apiwatch.EventType, object []byte, initial bool) *ending {
	head, err := manifest.ParseHead(object)
	switch {
	case err != nil:
		return failed(fmt.Errorf("%s: read metadata of object of %d bytes: %w", action, len(object), err))
	case head.ResourceVersion == "":
		return failed(fmt.Errorf("%s: an object has no resource version", action))
	}
	w.tracker.received(len(object))
	if event == apiwatch.Deleted {
		err = w.handler.Deleted(ctx, object)
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

// bookmark records the version that the watch has reached.
func (w *Watcher) bookmark(action string, object []byte, initial bool) (listed bool, end *ending) {
	b, err := manifest.ParseBookmark(object)
	if err != nil {
		return false, failed(fmt.Errorf("%s: read bookmark: %w", action, err))
	}
	w.tracker.heard()
	switch {
	case initial && !b.InitialEventsEnd:
		// The request was for the existing objects, so this API server ignored sendInitialEvents.
		return false, &ending{reason: Unsupported, err: fmt.Errorf("%s: %w", action, errUnsupported)}
	case !initial && goesBack(w.version, b.ResourceVersion):
		return false, &ending{reason: Expired, err: fmt.Errorf(
			"%s: the API server is at version %s after %s: its store was restored from a backup", action, b.ResourceVersion, w.version)}
	}
	if !initial {
		w.horizon.bookmark()
	}
	w.progress(b.ResourceVersion)
	return initial, nil
}

// goesBack reports whether the version after is lower than before. It is false if they are not
// numbers.
func goesBack(before, after string) bool {
	b, err := strconv.ParseUint(before, 10, 64)
	if err != nil {
		return false
	}
	a, err := strconv.ParseUint(after, 10, 64)
	return err == nil && a < b
}

// unstreamed returns the end of a request for a streamed list after a refusal, which may be about
// streaming only.
func unstreamed(end *ending) *ending {
	var r *refused
	if !errors.As(end.err, &r) {
		return end
	}
	switch r.code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusMethodNotAllowed, http.StatusNotImplemented:
	case http.StatusForbidden:
		// A forbidden watch has the same code.
		if !strings.Contains(r.message, "sendInitialEvents") {
			return end
		}
	default:
		return end
	}
	return &ending{reason: Unsupported, err: fmt.Errorf("%w (%w)", errUnsupported, end.err)}
}
