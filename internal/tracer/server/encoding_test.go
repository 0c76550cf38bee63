package server

import (
	"net/http"
	"testing"
)

func TestAcceptedEncoding(t *testing.T) {
	for accept, want := range map[string]string{
		"":                       "",
		"gzip":                   "gzip",
		"zstd":                   "zstd",
		"gzip, zstd":             "zstd",
		"gzip, deflate, br":      "gzip",
		"GZIP;Q=0.5, zstd;q=0.1": "gzip",
		"zstd;q=0, gzip":         "gzip",
		"gzip;q=0":               "",
		"*":                      "zstd",
		"*, zstd;q=0":            "gzip",
		"identity, gzip;q=0.5":   "",
		"identity;q=0, gzip":     "gzip",
		"br":                     "",
		"gzip;level=9":           "",
		"gzip;q=NaN":             "",
		"gzip;q=7":               "",
	} {
		if got := acceptedEncoding(http.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("acceptedEncoding(%q) = %q, want %q", accept, got, want)
		}
	}
	if got := acceptedEncoding(http.Header{"Accept-Encoding": {"gzip", "zstd;q=0.9"}}); got != "gzip" {
		t.Errorf("of two headers, got %q, want gzip", got)
	}
}
