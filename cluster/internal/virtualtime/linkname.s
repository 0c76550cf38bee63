// This file lets the package have functions without a body, which go:linkname gives one.
