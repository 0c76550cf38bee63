// Package tracejson writes traces as JSON, or YAML, and makes traces of JSON.
//
// The form is described in docs/trace-tools.md: a JSON object for each event, between one with the version and the config and those with what
// stands after the events. What an [Encoder] wrote of a trace, [Decode] makes the same trace of: byte by byte what trace.Write gives.
//
// Both stream. They hold an event, and what stands after the events.
package tracejson

// The keys of the form. They are those of the trace format.
const (
	keyVersion    = "version"
	keyConfig     = "config"
	keyEvents     = "events"
	keyIndex      = "index"
	keyLifecycles = "pod_lifecycles"
	keyExtension  = "x-simkube"

	keyTime    = "ts"
	keyApplied = "applied_objs"
	keyDeleted = "deleted_objs"

	keyTracked        = "trackedObjects"
	keyPaths          = "podSpecTemplatePaths"
	keyOldPath        = "podSpecTemplatePath"
	keySkipOwned      = "skipOwned"
	keyTrackLifecycle = "trackLifecycle"

	// keyMsgpack is the only key of an object that stands for msgpack bytes, in base64.
	keyMsgpack = "$msgpack"
	// In the extension, pods[*].hash are hashes.
	keyPods = "pods"
	keyHash = "hash"
)
