package storage

import "errors"

// Writer is an object that is being written; it holds a few parts in memory. Nobody sees it before it is committed. It
// is not safe for concurrent use, but Abort may be called at any time.
type Writer struct{}

// Write appends to the object. An error is final: the object cannot be committed any more.
func (w *Writer) Write(p []byte) (int, error) { return 0, errors.ErrUnsupported }

// Commit makes the object visible, whole and in the place of one that was there. It returns when the storage has it
// for good. An error means that it is not known to be there; then nothing of it is, unless the very answer to the last
// request was lost.
func (w *Writer) Commit() error { return errors.ErrUnsupported }

// Abort drops what was written, and waits until the storage has let go of it. After Commit, or a second time, it does
// nothing. An error means that parts may be left that nobody sees but somebody pays for.
func (w *Writer) Abort() error { return errors.ErrUnsupported }

// Close is Abort, for defer.
func (w *Writer) Close() error { return w.Abort() }
