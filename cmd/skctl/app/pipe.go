package app

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errUnread is why a context ended when whoever read the output went away, as head does when it has enough.
var errUnread = errors.New("nobody reads the output any more")

// pipe writes to what may be a pipe. When nobody reads that any more, it ends the command: it has nobody to tell, but has to clean up.
type pipe struct {
	w      io.Writer
	unread func()
}

// Write implements io.Writer.
func (p *pipe) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		p.unread()
	}
	return n, err
}

// guardPipes has a command end in order when nobody reads its output any more, until release is called. By itself a program dies of a signal then, and leaves
// behind what it was about to remove. Terminals stay the files that they are.
func guardPipes(streams *Streams, cancel context.CancelCauseFunc) (release func()) {
	// With somebody to take the signal, the write itself fails.
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
