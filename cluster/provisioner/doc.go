// Package provisioner is a component of the control plane that provisions volumes for claims, in
// place of the provisioners of all StorageClasses. Nothing is stored: a volume is an object.
//
// It does what a CSI driver's external provisioner does. kube-controller-manager annotates a claim
// that needs a volume with the name of its provisioner, for a class with WaitForFirstConsumer after
// the scheduler has chosen a node. The component then creates a PersistentVolume with the claim's
// size, access modes and mode, the class's reclaim policy, and the topology of the node;
// kube-controller-manager binds the two. It also expands claims, and deletes volumes that were
// released.
//
// Classes with the provisioner kubernetes.io/no-provisioner, and claims without a class, are left
// to volumes that others create, as in any cluster.
package provisioner
