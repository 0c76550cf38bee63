// Package location parses the URLs and paths of objects as users write them. It is separate from
// package storage for programs that only pass locations on: it does not depend on the libraries of
// the clouds.
package location

import "net/url"

// Scheme is a kind of storage, in its canonical spelling.
type Scheme string

// The kinds of storage.
const (
	SchemeFile   Scheme = "file"  // also a plain path
	SchemeS3     Scheme = "s3"    // and compatible servers
	SchemeGoogle Scheme = "gs"    // Google Cloud Storage
	SchemeAzure  Scheme = "azure" // Azure Blob Storage; also az and azblob
	SchemeHTTP   Scheme = "http"  // read-only
	SchemeHTTPS  Scheme = "https" // read-only
)

// Location identifies one object. [Parse] returns it. Locations are comparable: different spellings
// of the same location, such as az://c/k and azure://c/k, are equal (paths are compared as they
// are).
type Location struct {
	// Scheme is the kind of storage.
	Scheme Scheme
	// Bucket is the bucket or container; for HTTP, the host and port; empty for a file.
	Bucket string
	// Key is the object's name in the bucket, without a leading slash; for a file, its path.
	Key string

	address string // for HTTP, the whole URL, which may contain secrets
}

// Address returns the whole URL of an HTTP location. It may contain a user, a password and a
// signature: use it for requests, but do not show it. It is empty for other locations.
func (l Location) Address() string { return l.address }

// Local reports whether the location is a file.
func (l Location) Local() bool { return l.Scheme == SchemeFile }

// ReadOnly reports whether the location cannot be written to, regardless of the credentials.
func (l Location) ReadOnly() bool { return l.Scheme == SchemeHTTP || l.Scheme == SchemeHTTPS }

// String returns the location as a URL, or the path of a file. It contains no secrets: the user,
// password and query of an HTTP URL are left out.
func (l Location) String() string {
	switch {
	case l.Local():
		return l.Key
	case l.ReadOnly():
		return (&url.URL{Scheme: string(l.Scheme), Host: l.Bucket, Path: "/" + l.Key}).String()
	default:
		return string(l.Scheme) + "://" + l.Bucket + "/" + l.Key
	}
}
