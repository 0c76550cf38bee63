package app

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errUnread is the cause of a context that was cancelled because the output's reader is gone, such
// as head after its last line.
var errUnread = errors.New("the reader of the output is gone")

// pipe writes to what may be a pipe. If the reader is gone, it cancels the command's context, so
// that the command cleans up.
type pipe struct {
	w      io.Writer
	unread func()
}

// Write implements [io.Writer].
func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		p.unread()
	}
	return n, err
}

// guardPipes makes a command clean up if the reader of its output is gone, until release is called.
// Without it the process dies of SIGPIPE and leaves its temporary files. Terminals are not wrapped.
func guardPipes(streams *Streams, cancel context.CancelCauseFunc) (release func()) {
	// With the signal handled, the write itself fails.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPIPE)
	unread := func() { cancel(errUnread) }
	for _, w := range []*io.Writer{&streams.Out, &streams.Err} {
		if f, ok := (*w).(*os.File); ok && !isTerminal(f) {
			*w = &pipe{w: f, unread: unread}
		}
	}
	return func() { signal.Stop(signals) }
}
