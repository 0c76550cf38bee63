// Package manifest reads what the API server sends: objects, watch frames, lists. It makes of an object what is recorded: a sanitised
// manifest in the form that traces have, the metadata, and, of pods and nodes, what is known of their lives. It works on the JSON
// text, without a tree of it, since every object that changes in a cluster comes this way.
package manifest
