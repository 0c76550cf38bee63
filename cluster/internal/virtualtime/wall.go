//go:build !faketime

package virtualtime

import "time"

// Enabled tells whether this program was built for virtual time.
const Enabled = false

// Prepare does nothing on the wall clock.
func Prepare() {}

// Set does nothing on the wall clock.
func Set(time.Time) {}
