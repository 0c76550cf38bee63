package storage

import "simkube.io/simkube/storage/location"

// Location identifies one object. [Parse] returns it.
type Location = location.Location

// Scheme is a kind of storage, in its canonical spelling.
type Scheme = location.Scheme

// The kinds of storage; see package location.
const (
	SchemeFile   = location.SchemeFile
	SchemeS3     = location.SchemeS3
	SchemeGoogle = location.SchemeGoogle
	SchemeAzure  = location.SchemeAzure
	SchemeHTTP   = location.SchemeHTTP
	SchemeHTTPS  = location.SchemeHTTPS
)

// ParseError is returned for a text that is not the location of an object.
type ParseError = location.ParseError

// Parse parses a location as [location.Parse] does. All errors are of type [*ParseError].
func Parse(text string) (Location, error) { return location.Parse(text) }
