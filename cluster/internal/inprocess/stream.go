package inprocess

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
)

const (
	// window is how many bytes the writer of a watch may be ahead of its reader.
	window = 1 << 20
	// keep is the largest capacity of an empty buffer that is kept.
	keep = 64 << 10
)

// stream is a response that is read while it is written: the handler's http.ResponseWriter and the
// client's body. What is written can be read once it is flushed, or when the handler has returned.
type stream struct {
	ctx    context.Context // the handler's
	cancel func()
	header http.Header

	mu       sync.Mutex // guards the rest
	changed  sync.Cond  // uses mu
	status   int
	sent     http.Header   // header as it was when the status was written
	answered chan struct{} // closed when status and sent are set, or err
	buf      bytes.Buffer  // what is written and not read
	flushed  int           // how much of buf can be read
	err      error         // io.EOF or why there is no more, once the handler has returned
	closed   bool          // by the reader
}

// stream starts the handler and returns when it has written the status.
func (t *Transport) stream(handler http.Handler, req, served *http.Request, cancel func()) (*http.Response, error) {
	s := &stream{ctx: served.Context(), cancel: cancel, header: http.Header{}, answered: make(chan struct{})}
	s.changed.L = &s.mu
	t.mu.Lock()
	if t.handler.Load() == nil {
		t.mu.Unlock()
		cancel()
		return nil, errRefused
	}
	t.streams.Go(func() {
		wake := context.AfterFunc(s.ctx, s.wake) // wakes a writer that waits for its reader
		err := serve(handler, s, served)
		wake()
		if gone := s.ctx.Err(); gone != nil {
			err = gone // as the client of a real server sees it, even if the handler was aborted
		}
		s.finish(err)
		cancel()
	})
	t.mu.Unlock()
	<-s.answered
	if err := req.Context().Err(); err != nil {
		_ = (*streamBody)(s).Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == nil {
		return nil, s.err
	}
	res := response(req, s.status, s.sent)
	res.Body, res.ContentLength = (*streamBody)(s), -1
	return res, nil
}

func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

func (s *stream) finish(err error) {
	if err == nil {
		s.WriteHeader(http.StatusOK)
		err = io.EOF
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.flushed = err, s.buf.Len()
	if s.sent == nil {
		close(s.answered)
	}
	s.changed.Broadcast()
}

func (s *stream) Header() http.Header { return s.header }

func (s *stream) WriteHeader(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeHeader(status)
}

func (s *stream) writeHeader(status int) {
	// An informational status is not that of the response.
	if s.sent != nil || status < http.StatusOK {
		return
	}
	s.status, s.sent = status, s.header.Clone()
	close(s.answered)
}

// Write waits while the reader is a window behind.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeHeader(http.StatusOK)
	for s.buf.Len() >= window && !s.closed && s.ctx.Err() == nil {
		s.flush()
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, io.ErrClosedPipe
	case s.ctx.Err() != nil:
		return 0, s.ctx.Err()
	}
	return s.buf.Write(p)
}

// Flush implements http.Flusher.
func (s *stream) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeHeader(http.StatusOK)
	s.flush()
}

func (s *stream) flush() {
	if s.flushed == s.buf.Len() {
		return
	}
	s.flushed = s.buf.Len()
	s.changed.Broadcast()
}

// CloseNotify implements http.CloseNotifier, which the API server requires of writers. It uses the
// context instead.
func (s *stream) CloseNotify() <-chan bool { return nil }

// streamBody is the client's side of a stream.
type streamBody stream

// Read returns what has been flushed, and waits until something is.
func (b *streamBody) Read(p []byte) (int, error) {
	s := (*stream)(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.flushed == 0 && s.err == nil && !s.closed {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, http.ErrBodyReadAfterClose
	case s.flushed == 0:
		return 0, s.err
	}
	full := s.buf.Len() >= window
	n, _ := s.buf.Read(p[:min(len(p), s.flushed)]) // it is not empty
	s.flushed -= n
	if s.buf.Len() == 0 && s.buf.Cap() > keep {
		s.buf = bytes.Buffer{}
	}
	if full {
		s.changed.Broadcast()
	}
	return n, nil
}

// Close cancels the context of the request's handler. It doesn't wait for the handler.
func (b *streamBody) Close() error {
	s := (*stream)(b)
	s.mu.Lock()
	s.closed, s.buf, s.flushed = true, bytes.Buffer{}, 0
	s.changed.Broadcast()
	s.mu.Unlock()
	s.cancel()
	return nil
}
