package volumes

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// migrated are the CSI drivers that have replaced provisioners that were part of Kubernetes.
var migrated = map[string]string{
	"kubernetes.io/aws-ebs":         "ebs.csi.aws.com",
	"kubernetes.io/azure-disk":      "disk.csi.azure.com",
	"kubernetes.io/azure-file":      "file.csi.azure.com",
	"kubernetes.io/cinder":          "cinder.csi.openstack.org",
	"kubernetes.io/gce-pd":          "pd.csi.storage.gke.io",
	"kubernetes.io/portworx-volume": "pxd.portworx.com",
	"kubernetes.io/vsphere-volume":  "csi.vsphere.vmware.com",
}

// Attached returns how many volumes of each driver a pod of an object uses that no other pod of the
// object uses, as far as the events that were added determine it. The object has a number of pods.
func (s *Survey) Attached(gvk schema.GroupVersionKind, namespacedName string, pods int) map[string]int {
	if s == nil {
		return nil
	}
	u := s.users[trace.FormatGVK(gvk)+" "+namespacedName]
	if u == nil {
		return nil
	}
	attached := map[string]int{}
	count := func(driver string) {
		if driver != "" {
			attached[driver]++
		}
	}
	for _, t := range u.templates {
		claim := ""
		if t.prefix != "" {
			claim = u.namespace + "/" + t.prefix + fmt.Sprint(0)
		}
		count(s.driverOf(claim, t.class))
	}
	if pods == 1 {
		for _, name := range u.refers {
			count(s.driverOf(u.namespace+"/"+name, ""))
		}
	}
	return attached
}

// driverOf returns the driver of the volume of a claim, or "" if it is not known. The class is that
// of a claim that is not in the trace.
func (s *Survey) driverOf(claim, class string) string {
	if recorded := s.claims[claim]; recorded != nil {
		if v := s.volumes[recorded.volume]; v != nil {
			return v.driver
		}
		class = cmp.Or(recorded.class, class)
	}
	known := s.classes[class]
	if known == nil {
		return ""
	}
	return cmp.Or(migrated[known.Provisioner], known.Provisioner)
}

// Limits returns how many volumes of each driver a node takes that is not in the trace. Drivers
// without a limit are missing.
func (s *Survey) Limits() map[string]int {
	if s == nil {
		return nil
	}
	limits := map[string]int{}
	for _, driver := range s.drivers() {
		limits[driver.Name] = int(*driver.Allocatable.Count)
	}
	return limits
}

// LimitsOf is Limits for a node of the trace, by its name, if it has a CSINode.
func (s *Survey) LimitsOf(node string) (limits map[string]int, recorded bool) {
	if s == nil || s.nodes[node] == nil {
		return nil, false
	}
	limits = map[string]int{}
	for _, driver := range s.nodes[node] {
		if driver.Allocatable != nil && driver.Allocatable.Count != nil {
			limits[driver.Name] = int(*driver.Allocatable.Count)
		}
	}
	return limits, true
}
