package log

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"k8s.io/utils/clock"
)

// Options are what Open can be told. The zero value keeps everything for ever, on disk.
type Options struct {
	// InMemory keeps nothing on disk; the directory is not used.
	InMemory bool
	// Retention is how far back exports can reach; 0: for ever.
	Retention time.Duration
	// MaxSize is how many bytes the log may have on disk; 0: any.
	MaxSize int64
	// Clock stamps what is appended. Nil: the real one.
	Clock clock.WithTicker
	// OnDurable is called after every commit, from one goroutine, with what is durable now.
	OnDurable func(upTo Seq)
	Logger    *slog.Logger
}

// Log is an event log. It is safe for concurrent use.
type Log struct{}

// Open opens the log in a directory, which it makes if needed.
func Open(dir string, opts Options) (*Log, error) { panic("to do") }

// Append adds entries, all or none of them, and returns the number of the last. It returns before they are durable: see Sync. It waits while too much
// is not durable yet.
func (l *Log) Append(ctx context.Context, entries ...Entry) (Seq, error) { panic("to do") }

// Sync waits until everything up to seq is durable.
func (l *Log) Sync(ctx context.Context, seq Seq) error { panic("to do") }

// Objects gives the objects that exist now, by kind and name; without their Object, References and Ancestors.
func (l *Log) Objects() iter.Seq2[*Record, error] { panic("to do") }

// LivePods gives the pods that are not known to be deleted.
func (l *Log) LivePods() iter.Seq2[*Pod, error] { panic("to do") }

// LiveNodes gives the nodes that have no To.
func (l *Log) LiveNodes() iter.Seq2[*Node, error] { panic("to do") }

// Snapshot gives the log as it is now, all that was appended included. It must be closed. It blocks nobody.
func (l *Log) Snapshot() (*Snapshot, error) { panic("to do") }

// Stats tells how large the log is.
func (l *Log) Stats() Stats { panic("to do") }

// Close makes everything durable and closes the log.
func (l *Log) Close() error { panic("to do") }

// Stats are figures of a log.
type Stats struct {
	// Bytes are those on disk.
	Bytes int64
	// Events are the changes in the log, without the flattened state at its beginning.
	Events uint64
	// Appended and Durable are the last numbers.
	Appended, Durable Seq
	// Begin is the time the log reaches back to, Last the time of the last entry, in unix milliseconds.
	Begin, Last int64
}

// Snapshot is a log at one time. Its methods may be called concurrently.
type Snapshot struct{}

// Begin is the time in unix milliseconds that the log reaches back to: what was before is flattened.
func (s *Snapshot) Begin() int64 { panic("to do") }

// Time is when the snapshot was taken, in unix milliseconds.
func (s *Snapshot) Time() int64 { panic("to do") }

// StateAt gives the objects that exist at a time (all changes before it made, none at it), sorted by [trace.FormatGVK] of the kind, then name.
// A time before Begin is taken for Begin. A Record is valid until the next.
func (s *Snapshot) StateAt(ms int64) iter.Seq2[*Record, error] { panic("to do") }

// Changes gives what happened in [from, to), in order.
func (s *Snapshot) Changes(from, to int64) iter.Seq2[*Record, error] { panic("to do") }

// Before gives the last change of an object before a Seq, or nil. The state at the log's beginning counts.
func (s *Snapshot) Before(key Key, seq Seq) (*Record, error) { panic("to do") }

// At gives the last change of an object before a time in unix milliseconds, or nil.
func (s *Snapshot) At(key Key, ms int64) (*Record, error) { panic("to do") }

// Pods gives the pods that were created before to and not deleted before from, in the order they were created.
func (s *Snapshot) Pods(from, to int64) iter.Seq2[*Pod, error] { panic("to do") }

// Nodes gives the nodes that there were in [from, to), by From.
func (s *Snapshot) Nodes(from, to int64) iter.Seq2[*Node, error] { panic("to do") }

// Gaps gives the gaps that overlap [from, to).
func (s *Snapshot) Gaps(from, to int64) iter.Seq2[*Gap, error] { panic("to do") }

// Close lets go of the snapshot.
func (s *Snapshot) Close() error { panic("to do") }
