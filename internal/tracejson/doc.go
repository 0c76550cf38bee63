// Package tracejson encodes traces as JSON or YAML, and decodes JSON.
//
// docs/trace-tools.md describes the form: a JSON object for each event, after objects with the
// version and the config, and before objects with the other keys of a trace. [Decode] makes of the
// output of an [Encoder] what trace.Write writes of the same trace, byte by byte.
//
// Both stream. They hold one event in memory, and what follows the events.
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

	// keyMsgpack is the only key of an object that has msgpack bytes, in base64.
	keyMsgpack = "$msgpack"
	// In the extension, pods[*].hash are hashes.
	keyPods = "pods"
	keyHash = "hash"
)
