package validate

import (
	"hash/maphash"
	"strings"

	"github.com/tinylib/msgp/msgp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

func recreated() *Rule {
	return &Rule{
		Code: "W0110", Name: "recreated", Severity: Info, inherent: true,
		Title: "A field of an object changes that cannot be changed.",
		Help: `The recorded cluster had another object of the same name: it was deleted and created again between
two events. The replay does the same, and its pods are replaced, too. Nothing need be done. If a
program changed the field, apply the change to all versions of the object, without a condition that
only some of them meet.`,
		object: func(c *Checker, rule *Rule, s *occurrence) {
			if !s.remade {
				return
			}
			c.report(rule, s, "", "", func() string {
				var fields []string
				for _, path := range fixedFields[s.key.kind] {
					fields = append(fields, strings.Join(path, "."))
				}
				return strings.Join(fields, " or ") + " differs from before: the replay deletes the object and creates it again"
			})
		},
		suggest: nothingToDo,
	}
}

// fixedFields are fields that cannot be changed, by kind, as paths.
var fixedFields = map[schema.GroupKind][][]string{
	{Group: "apps", Kind: "DaemonSet"}:                               {{"spec", "selector"}},
	{Group: "apps", Kind: "Deployment"}:                              {{"spec", "selector"}},
	{Group: "apps", Kind: "ReplicaSet"}:                              {{"spec", "selector"}},
	{Group: "apps", Kind: "StatefulSet"}:                             {{"spec", "selector"}, {"spec", "serviceName"}, {"spec", "podManagementPolicy"}, {"spec", "volumeClaimTemplates"}},
	{Group: "batch", Kind: "Job"}:                                    {{"spec", "template", "spec"}, {"spec", "completionMode"}},
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                     {{"handler"}},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {{"roleRef"}},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {{"roleRef"}},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:              {{"value"}, {"preemptionPolicy"}},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  {{"provisioner"}, {"parameters"}, {"reclaimPolicy"}, {"volumeBindingMode"}},
	{Kind: "PersistentVolumeClaim"}:                                  {{"spec", "accessModes"}, {"spec", "storageClassName"}, {"spec", "volumeMode"}},
}

// fixed returns a hash of the fields that cannot be changed, or 0 if all can.
func (c *Checker) fixed(key objectKey, o *trace.Object) uint64 {
	fields := fixedFields[key.kind]
	if len(fields) == 0 {
		return 0
	}
	spec := o.Spec()
	if suspended := false; key.kind.Kind == "Job" {
		if readTrue(fieldAt(spec, []string{"suspend"}), &suspended); suspended {
			return 0 // the placement of the pods of a suspended Job can be changed
		}
	}
	var hash maphash.Hash
	hash.SetSeed(c.seed)
	for _, field := range fields {
		from := o.Raw()
		if field[0] == "spec" {
			from, field = spec, field[1:]
		}
		value := fieldAt(from, field)
		if msgp.NextType(value) != msgp.NilType { // like a missing one
			_, _ = hash.Write(value) // never fails
		}
		_ = hash.WriteByte(0)
	}
	return max(1, hash.Sum64())
}

// fieldAt returns the bytes of a field.
func fieldAt(b []byte, path []string) (found []byte) {
	if len(b) == 0 {
		return nil
	}
	eachField(b, func(key, value []byte) []byte {
		rest := skip(value)
		if string(key) == path[0] {
			found = value[:len(value)-len(rest)]
		}
		return rest
	})
	if len(path) > 1 {
		return fieldAt(found, path[1:])
	}
	return found
}
