package watch

import (
	"context"
	"time"
)

// Handler gets what a Watcher sees. It is called from the goroutine of Run, one call at a time. The bytes it gets are valid during the call.
// An error ends Run.
//
// The objects are JSON as the API server sends it. Those of a list in pages lack their apiVersion and kind where the API server leaves them
// out, as it does for its own kinds.
type Handler interface {
	// Begin says that everything there is follows, up to Complete. If that is interrupted, Begin comes again, without a Complete.
	Begin(ctx context.Context) error
	// Object gives an object that is there: one of those that follow Begin, or one that was made or changed. The same may come again.
	Object(ctx context.Context, json []byte) error
	// Gone gives an object that was deleted, as it was last. It may come before Complete, too, and for an object that was never given.
	Gone(ctx context.Context, json []byte) error
	// Complete says that everything there is was given since Begin: what the handler knows of and did not get is gone.
	Complete(ctx context.Context) error
	// Gap says that of what happened between two times some may never have been handed on. It comes
	// after every Complete, since a list has only what is left, and when a kind has been away for
	// long.
	Gap(ctx context.Context, from, to time.Time) error
}
