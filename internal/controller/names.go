package controller

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
	"simkube.io/simkube/storage/location"
)

// checkNames fails a simulation with an invalid name in its spec. Names become parts of URLs and of
// other names, so one such as "../../configmaps/a" would refer to another object. The CRD validates
// some of them, but an older one may be installed.
func checkNames(sim *simkubev1.Simulation) error {
	spec := &sim.Spec
	names := []namedField{
		{"metadata.name", &sim.Name, validation.IsDNS1123Label},
		{"spec.driver.namespace", &spec.Driver.Namespace, validation.IsDNS1123Label},
		{"spec.driver.certManagerIssuer", spec.Driver.CertManagerIssuer, validation.IsDNS1123Subdomain},
	}
	if prefix := spec.Driver.VirtualNsPrefix; prefix != "" {
		names = append(names, namedField{"spec.driver.virtualNsPrefix", &prefix, validation.IsDNS1123Label})
	}
	for i := range spec.Driver.Secrets {
		names = append(names, namedField{fmt.Sprintf("spec.driver.secrets[%d]", i), &spec.Driver.Secrets[i], validation.IsDNS1123Subdomain})
	}
	if metrics := spec.Metrics; metrics != nil {
		names = append(names, namedField{"spec.metrics.namespace", metrics.Namespace, validation.IsDNS1123Label},
			namedField{"spec.metrics.serviceAccount", metrics.ServiceAccount, validation.IsDNS1123Subdomain})
	}
	if results := spec.Results; results != nil {
		for field, name := range map[string]*string{
			"spec.results.configMap": &results.ConfigMap, "spec.results.persistentVolumeClaim": &results.PersistentVolumeClaim,
		} {
			if *name != "" {
				names = append(names, namedField{field, name, validation.IsDNS1123Subdomain})
			}
		}
	}
	for _, n := range names {
		if err := n.check(); err != nil {
			return err
		}
	}
	return checkLocations(spec)
}

// namedField is a field of a simulation that holds a name. The name is nil if it is not set.
type namedField struct {
	field   string
	name    *string
	invalid func(name string) []string
}

func (n namedField) check() error {
	if n.name == nil {
		return nil
	}
	if wrong := n.invalid(*n.name); len(wrong) > 0 {
		return fail(reasonInvalid, "invalid %s %q: %s; correct it, and create the simulation again", n.field, *n.name, strings.Join(wrong, "; "))
	}
	return nil
}

// checkLocations fails a simulation with an invalid location of its trace or results. The driver
// would find out later, in the case of the results after the replay.
func checkLocations(spec *simkubev1.SimulationSpec) error {
	if _, err := location.Parse(spec.Driver.TracePath); err != nil {
		return fail(reasonInvalid, "invalid spec.driver.tracePath: %v", err)
	}
	if spec.Results != nil && spec.Results.URL != "" {
		if _, err := location.Parse(strings.TrimSuffix(spec.Results.URL, "/") + "/run-01/summary.json"); err != nil {
			return fail(reasonInvalid, "invalid spec.results.url: %v", err)
		}
	}
	return nil
}

// checkedReader rejects names that are more than one segment of a URL's path. The client for
// metadata does not check that by itself.
type checkedReader struct{ client.Reader }

func (s checkedReader) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if err := checkSegments(key.Namespace, key.Name); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	return s.Reader.Get(ctx, key, object, opts...)
}

func (s checkedReader) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	all := client.ListOptions{}
	all.ApplyOptions(opts)
	if err := checkSegments(all.Namespace); err != nil {
		return fmt.Errorf("list namespace %q: %w", all.Namespace, err)
	}
	return s.Reader.List(ctx, list, opts...)
}

func checkSegments(names ...string) error {
	for _, name := range names {
		if wrong := content.IsPathSegmentName(name); len(wrong) > 0 {
			return fmt.Errorf("invalid name %q: %s", name, strings.Join(wrong, "; "))
		}
	}
	return nil
}

// metricsPart returns the simulation's Prometheus, and false if it has none or an invalid one.
func metricsPart(sim *simkubev1.Simulation, root *simkubev1.SimulationRoot) (client.Object, bool) {
	if sim.Spec.Metrics == nil || checkSegments(objects.MetricsNamespace(sim.Spec.Metrics)) != nil {
		return nil, false
	}
	prometheus, err := objects.Prometheus(sim, root)
	return prometheus, err == nil
}
