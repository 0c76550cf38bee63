// Package server is the HTTP API of the tracer: exports, health, metrics and status. It authorizes
// and validates requests; the recorded data comes from an [Exporter].
package server
