package bigtrace

import (
	"errors"
	"fmt"

	"simkube.io/simkube/trace"
)

// Options configure the trace. The zero value is useful.
type Options struct {
	// Events is the number of events. Default: a million.
	Events int
	// EventBytes is the approximate average size of an event in bytes, without the first one. Default:
	// 1000. The minimum is about 900.
	EventBytes int
	// Objects is the number of distinct objects, besides a few Secrets and ServiceAccounts. Default:
	// 20,000.
	Objects int
	// Seed selects another trace of the same kind.
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
		return fmt.Errorf("negative option: %d events, %d bytes, %d objects", o.Events, o.EventBytes, o.Objects)
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

// Write writes a generated trace to a file.
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
