// Package location reads the URLs and paths of objects as users write them. It is apart from package storage, which gets at the objects, for
// programs that only pass them on: it needs none of the clouds' libraries.
package location

import "net/url"

// Scheme is a kind of storage, in its canonical spelling.
type Scheme string

// The kinds of storage.
const (
	SchemeFile   Scheme = "file"  // a plain path too
	SchemeS3     Scheme = "s3"    // and what speaks like it
	SchemeGoogle Scheme = "gs"    // Google Cloud Storage
	SchemeAzure  Scheme = "azure" // Azure Blob Storage; az and azblob too
	SchemeHTTP   Scheme = "http"  // to read only
	SchemeHTTPS  Scheme = "https" // to read only
)

// Location says where one object is. It is made by [Parse], and is comparable: locations that are spelt differently but
// name the same object, as az://c/k and azure://c/k do, are equal (paths are taken as they are).
type Location struct {
	// Scheme is the kind of storage.
	Scheme Scheme
	// Bucket is the bucket or container; the host, and port, behind HTTP; empty for a file.
	Bucket string
	// Key is the object's name in the bucket, without a slash before it; the path of a file.
	Key string

	address string // the whole URL behind HTTP, which may hold secrets
}

// Address gives the whole URL behind HTTP, which may hold a user, a password and a signature: it is for requests, not
// to be shown. For other locations it is empty.
func (l Location) Address() string { return l.address }

// Local tells whether the location is a file's.
func (l Location) Local() bool { return l.Scheme == SchemeFile }

// ReadOnly tells whether nothing can be written there, whatever the credentials.
func (l Location) ReadOnly() bool { return l.Scheme == SchemeHTTP || l.Scheme == SchemeHTTPS }

// String gives the location as a URL, or a file's path. It holds no secrets: of a URL behind HTTP, user, password and
// query are left out.
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
