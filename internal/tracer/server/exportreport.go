package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/words"
)

// maxReport is the maximum size of a report. Go's client reads no more than 4096 bytes of trailers.
const maxReport = 3000

// reports reports whether the response to a request has a report. If it is a trailer, it must be
// announced before the trace is sent.
func reports(r *simkubev1.ExportRequest) bool {
	excluded, included := r.Filters.Namespaces()
	return len(excluded)+len(included) > 0 || r.Transform != ""
}

// setReport sets the report of an export as a header or trailer, unless it is nil.
func (s *Server) setReport(ctx context.Context, w http.ResponseWriter, name string, report *simkubev1.ExportReport) {
	if report == nil {
		return
	}
	text, err := reportText(*report)
	if err != nil {
		s.loggerFor(ctx).ErrorContext(ctx, "encode the report of an export", "error", err)
		return
	}
	w.Header().Set(name, text)
}

// reportText encodes a report. It takes entries off the ends of the lists until it fits.
func reportText(r simkubev1.ExportReport) (string, error) {
	const maxNamespaces, maxUnmatched, maxCommand = 30, 10, 200
	for len(r.LeftOut) > maxNamespaces {
		dropNamespace(&r)
	}
	for len(r.Unmatched) > maxUnmatched {
		dropUnmatched(&r)
	}
	unmatched := make([]simkubev1.UnmatchedCommand, len(r.Unmatched))
	for i, u := range r.Unmatched {
		unmatched[i] = simkubev1.UnmatchedCommand{Line: u.Line, Command: words.ClipBytes(u.Command, maxCommand), Hint: words.ClipBytes(u.Hint, maxCommand)}
	}
	r.Unmatched = unmatched
	for {
		data, err := json.Marshal(r)
		if err != nil {
			return "", err
		}
		text := asciiJSON(string(data))
		switch {
		case len(text) <= maxReport:
			return text, nil
		case len(r.Unmatched) > 1:
			dropUnmatched(&r)
		case len(r.LeftOut) > 0:
			dropNamespace(&r)
		default:
			dropUnmatched(&r)
		}
	}
}

func dropNamespace(r *simkubev1.ExportReport) {
	last := len(r.LeftOut) - 1
	r.MoreNamespaces++
	r.MoreObjects += r.LeftOut[last].Objects
	r.LeftOut = r.LeftOut[:last]
}

func dropUnmatched(r *simkubev1.ExportReport) {
	r.MoreUnmatched++
	r.Unmatched = r.Unmatched[:len(r.Unmatched)-1]
}

// asciiJSON escapes what is not ASCII in JSON: the values of headers must not contain it.
func asciiJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			b.WriteString("\\u" + strconv.FormatInt(0x10000|int64(unit), 16)[1:])
		}
	}
	return b.String()
}
