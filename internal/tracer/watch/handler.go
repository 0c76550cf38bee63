package watch

import (
	"context"
	"time"
)

// Handler handles the objects of a Watcher. It is called from the goroutine of Run, one call at a
// time. The bytes passed to it are valid during the call. An error ends Run.
//
// The objects are JSON as sent by the API server. Those of a list in pages have no apiVersion and
// kind if the API server leaves them out, as it does for its own kinds.
type Handler interface {
	// Begin is called before all existing objects are passed, up to Complete. If that is interrupted,
	// Begin is called again without a Complete before.
	Begin(ctx context.Context) error
	// Object handles an object that exists: one of those that follow Begin, or one that was created or
	// changed. The same object may be passed again.
	Object(ctx context.Context, json []byte) error
	// Deleted handles an object that was deleted, in its last state. It may be called before Complete,
	// too, and for an object that was never passed.
	Deleted(ctx context.Context, json []byte) error
	// Complete is called when all existing objects were passed since Begin. Objects that were not
	// passed since do not exist any more.
	Complete(ctx context.Context) error
	// Gap is called if changes between two times may never have been passed. It follows every
	// Complete, since a list has only the objects that are left, and is called when a kind has been
	// missing for long.
	Gap(ctx context.Context, from, to time.Time) error
}
