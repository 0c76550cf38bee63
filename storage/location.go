package storage

import "simkube.io/simkube/storage/location"

// Location says where one object is. It is made by [Parse].
type Location = location.Location

// Scheme is a kind of storage, in its canonical spelling.
type Scheme = location.Scheme

// The kinds of storage; package location describes them.
const (
	SchemeFile   = location.SchemeFile
	SchemeS3     = location.SchemeS3
	SchemeGoogle = location.SchemeGoogle
	SchemeAzure  = location.SchemeAzure
	SchemeHTTP   = location.SchemeHTTP
	SchemeHTTPS  = location.SchemeHTTPS
)

// ParseError says why a text does not name an object.
type ParseError = location.ParseError

// Parse makes a location of what a user has written, as [location.Parse] does. Every error is a [*ParseError].
func Parse(text string) (Location, error) { return location.Parse(text) }
