// Package manifest parses what the API server sends: objects, watch frames, lists. It encodes an
// object as it is recorded: a sanitised manifest in the form of traces, the metadata, and, for pods
// and nodes, their lifecycles. It works on the JSON text without building a tree, since every
// object that changes in a cluster is processed here.
package manifest
