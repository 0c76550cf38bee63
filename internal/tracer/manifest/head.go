package manifest

// Head is what is read of an object's metadata.
type Head struct {
	// Namespace is empty for a cluster-scoped object.
	Namespace, Name, UID, ResourceVersion string
	// CreationTimestamp and DeletionTimestamp are in unix seconds, 0 where there is none. An object that has the latter is being deleted.
	CreationTimestamp, DeletionTimestamp int64
	// Owners are metadata.ownerReferences. The strings of a Head share their memory: all of it is kept while one is.
	Owners []OwnerReference
}

// OwnerReference is one of metadata.ownerReferences.
type OwnerReference struct {
	APIVersion, Kind, Name, UID string
	// Controller says that the owner is the one that controls the object.
	Controller bool
}

// ParseHead reads an object's metadata, and nothing behind it: API servers write the metadata first, so that this is cheap, and enough to tell that
// an object is of no interest. What an object lacks is empty. Owners is nil where there are none, and the Head's own.
func ParseHead(json []byte) (Head, error) { panic("to do") }
