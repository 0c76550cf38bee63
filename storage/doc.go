// Package storage reads and writes objects by URL: on S3 and compatible servers, Google Cloud
// Storage, Azure Blob Storage, in local files, and, read-only, over HTTP. Everything is streamed:
// at most a few parts of an object are held in memory.
//
// [Parse] parses the [Location] that a user has written. A [Client] works with locations:
// [Client.Open] reads an object, [Client.Create] writes one, and [Client.Check] checks in advance
// whether writing could work. An object that is being written is not visible before
// [Writer.Commit]. If the write fails or is aborted, the location is unchanged.
//
// Credentials come from the environment; docs/storage.md lists the variables and the minimal
// permissions. Errors are of type [*Error], which contains what was tried on which location, why it
// failed and what to do. If known, it matches [ErrNotExist], [ErrPermission] or [ErrUnavailable]
// with errors.Is.
package storage
