package log

import "context"

func (l *Log) retainLoop() { <-l.stop }

// Retain to do.
func (l *Log) Retain(ctx context.Context) error { return nil }
