// Package server is the tracer's HTTP API: exports, health, metrics and status. It decides who may ask for what, and
// whether what is asked makes sense; what is recorded, it gets from others.
package server
