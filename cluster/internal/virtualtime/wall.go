//go:build !faketime

package virtualtime

import (
	"net/http"
	"time"
)

// Enabled reports whether this program was built for virtual time.
const Enabled = false

// Prepare does nothing on the wall clock.
func Prepare() {}

// Set does nothing on the wall clock.
func Set(time.Time) {}

// Seeded is false on the wall clock.
func Seeded() bool { return false }

// RouteHTTP does nothing on the wall clock.
func RouteHTTP(func(*http.Request) http.RoundTripper) {}
