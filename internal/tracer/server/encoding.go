package server

import (
	"net/http"
	"strconv"
	"strings"
)

// Encodings of a body.
const (
	encodingGzip = "gzip"
	encodingZstd = "zstd"
)

// acceptedEncoding returns the encoding that a client prefers: zstd or gzip, or "" for none. It
// prefers zstd if both have the same weight.
func acceptedEncoding(header http.Header) string {
	best, bestWeight := "", 0.0
	weights := map[string]float64{}
	for _, value := range header.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(item, ";")
			weights[strings.ToLower(strings.TrimSpace(name))] = weight(params)
		}
	}
	for _, name := range []string{encodingZstd, encodingGzip} {
		w, ok := weights[name]
		if !ok {
			w = weights["*"]
		}
		if w > bestWeight {
			best, bestWeight = name, w
		}
	}
	if weights["identity"] > bestWeight {
		return ""
	}
	return best
}

// weight parses "q=0.5". An invalid weight is 0, so that the encoding is not used, which every
// client accepts.
func weight(params string) float64 {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1
	}
	number, ok := strings.CutPrefix(strings.ToLower(params), "q=")
	if !ok {
		return 0
	}
	w, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(w >= 0 && w <= 1) {
		return 0
	}
	return w
}
