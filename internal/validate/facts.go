package validate

// facts are what the rules look at in a manifest. They are not changed once they are made.
type facts struct {
	// hasStatus tells of a status that is not empty.
	hasStatus bool
	templates []template
	refs      []reference
	// unbearable are the values that no control plane can bear.
	unbearable []Unbearable
	// crd is what a CustomResourceDefinition defines.
	crd []definition
}

// template is a pod template, or a bare pod.
type template struct {
	// path is where its spec is: "spec.tasks[0].template.spec"; prefix is that for all like it, "spec.tasks[*].template.spec", or empty
	// where SKEL cannot write it.
	path, prefix string
	demand       *demand
	mounts       mounts
}

// mounts tells which lists of containers mount volumes.
type mounts uint8

// use is what a pod needs another object for.
type use uint8

const (
	useServiceAccount use = iota
	useEnvSecret
	useEnvConfigMap
	useVolumeSecret
	useVolumeConfigMap
	useClaim
	usePriorityClass
	useRuntimeClass
)

// form is how a reference is written, and so how it is taken out.
type form uint8

const (
	asField     form = iota // a field of the pod's spec
	asEnv                   // an element of a container's env
	asEnvFrom               // an element of a container's envFrom
	asVolume                // a volume
	asProjected             // a source of a projected volume
)

// spot is all places of a trace that are written alike.
type spot struct {
	use    use
	form   form
	prefix string
	// list is the list of containers, for asEnv and asEnvFrom; the field, for asField.
	list string
}

// reference is one object that a pod needs.
type reference struct {
	spot spot
	name string
	path string
	// optional says that nothing waits for the object.
	optional bool
	// volume is the name of the volume, where it is one.
	volume string
	// alias is the same field's older name's content.
	alias string
}

// definition is a kind that a CustomResourceDefinition serves.
type definition struct{ group, version, kind string }
