// Package replaytest tests the replay engine and the mutation of pods against a real control plane.
package replaytest
