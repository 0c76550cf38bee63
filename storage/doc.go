// Package storage turns the URL of an object into its bytes, and bytes into an object: on S3 and what speaks like it,
// on Google Cloud Storage, on Azure Blob Storage, in a local file, and, to read only, behind HTTP. Everything is
// streamed: neither way is more than a few parts of an object held in memory.
//
// [Parse] makes a [Location] of what a user has written. A [Client] works with locations: [Client.Open] reads an
// object, [Client.Create] writes one, and [Client.Check] says beforehand whether that could work. An object that is
// being written is seen by nobody before [Writer.Commit]; whatever ends a write before it leaves what was at the
// location as it was.
//
// Credentials come from the environment; docs/storage.md names the variables and the least that a cloud has to permit.
// What fails does so with an [*Error], which says what was tried on what, why it did not work and what to do, and which
// answers errors.Is with one of [ErrNotExist], [ErrPermission] and [ErrUnavailable] where that is known.
package storage
