package bigtrace

import (
	"errors"
	"fmt"

	"simkube.io/simkube/trace"
)

// Options say what trace is made. The zero value is useful.
type Options struct {
	// Events is how many there are; 0 stands for a million.
	Events int
	// EventBytes is about how many bytes an event has, on average and without the first one; 0 stands for 1000, and it is not less
	// than some 900.
	EventBytes int
	// Objects is how many distinct objects there are, besides a few Secrets and ServiceAccounts; 0 stands for 20,000.
	Objects int
	// Seed makes another trace of the same sort.
	Seed uint64
}

// The defaults of Options.
const (
	DefaultEvents     = 1_000_000
	DefaultEventBytes = 1000
	DefaultObjects    = 20_000
)

func (o *Options) complete() error {
	if o.Events < 0 || o.EventBytes < 0 || o.Objects < 0 {
		return fmt.Errorf("want no negative numbers: %d events, %d bytes, %d objects", o.Events, o.EventBytes, o.Objects)
	}
	if o.Events == 0 {
		o.Events = DefaultEvents
	}
	if o.EventBytes == 0 {
		o.EventBytes = DefaultEventBytes
	}
	if o.Objects == 0 {
		o.Objects = DefaultObjects
	}
	return nil
}

// Write writes a made-up trace to a file.
func Write(path string, opts Options) (err error) {
	if err := opts.complete(); err != nil {
		return err
	}
	c, err := newCluster(opts)
	if err != nil {
		return err
	}
	w, err := trace.Create(path, config(), trace.WriterOptions{Events: opts.Events})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	event, err := c.first()
	for n := 0; n < opts.Events; n++ {
		if err != nil {
			return err
		}
		if err := w.WriteEvent(event); err != nil {
			return err
		}
		event, err = c.next()
	}
	tail, err := c.tail()
	if err != nil {
		return err
	}
	return w.Finish(tail)
}
