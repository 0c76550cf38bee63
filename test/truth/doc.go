// Package truth checks that a replay is what the manifests of a trace ask for, and what was
// recorded: it replays manifests that people install on both clocks, and compares the pods of each
// owner.
package truth
