package validate

// facts hold what the rules need from a manifest. They are immutable.
type facts struct {
	// hasStatus is true if the status is not empty.
	hasStatus bool
	templates []template
	refs      []reference
	// harmful are the values that a control plane cannot handle.
	harmful []HarmfulValue
	// crd holds the kinds that a CustomResourceDefinition defines.
	crd []servedKind
	// converts is whether a CustomResourceDefinition converts its objects by a webhook.
	converts bool
	// copies is how many pods of each template exist at once, as far as the object says so; else 0.
	copies int64
	// namespaces are the fields of a custom resource that may name namespaces, for a shared cluster.
	namespaces []namedNamespace
	// matters is the path because of which pods may differ if the object is left out.
	matters string
}

// template is a pod template, or a bare pod.
type template struct {
	// path is the path of its spec: "spec.tasks[0].template.spec". prefix is the same path with
	// wildcards, "spec.tasks[*].template.spec", or empty if SKEL cannot express it.
	path, prefix string
	demand       *demand
	mounts       mounts
}

// mounts is the set of container lists that mount volumes.
type mounts uint8

// use is the kind of a reference from a pod to another object.
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

// form is the syntax of a reference, which determines how it is removed.
type form uint8

const (
	inField     form = iota // a field of the pod's spec
	inEnv                   // an element of a container's env
	inEnvFrom               // an element of a container's envFrom
	inVolume                // a volume
	inProjected             // a source of a projected volume
)

// spot is all places in a trace with the same syntax and path.
type spot struct {
	use    use
	form   form
	prefix string
	// list is the list of containers, for inEnv and inEnvFrom; the field, for inField.
	list string
}

// reference is a reference from a pod to an object.
type reference struct {
	spot spot
	name string
	path string
	// optional means that pods start without the object.
	optional bool
	// volume is the name of the volume, if it is one.
	volume string
	// alias is the value of the deprecated name of the same field.
	alias string
}

// servedKind is a kind that a CustomResourceDefinition serves.
type servedKind struct{ group, version, kind string }
