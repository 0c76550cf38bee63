package nodes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"simkube.io/simkube/trace"
)

// devicePrefix is the prefix of the names by which claimed devices are counted like resources.
const devicePrefix = "device-class/"

// claimRef names a ResourceClaim, or the ResourceClaimTemplate of a claim for every pod.
type claimRef struct{ Kind, Name string }

// deviceObjects are the objects of a trace that are about devices.
type deviceObjects struct {
	claims  map[claimRef]*resourcev1.DeviceClaim
	classes map[string][]resourcev1.DeviceSelector
}

const (
	deviceClassKind   = "DeviceClass"
	claimKind         = "ResourceClaim"
	claimTemplateKind = "ResourceClaimTemplate"
)

// add keeps an object that is about devices.
func (o *deviceObjects) add(object *trace.Object) error {
	if object.GVK().GroupVersion() != resourcev1.SchemeGroupVersion {
		return nil
	}
	manifest, err := object.Unstructured()
	if err != nil {
		return err
	}
	convert := func(to any) error { return runtime.DefaultUnstructuredConverter.FromUnstructured(manifest.Object, to) }
	ref := claimRef{object.GVK().Kind, object.NamespacedName()}
	switch ref.Kind {
	case deviceClassKind:
		var class resourcev1.DeviceClass
		if err := convert(&class); err != nil {
			return err
		}
		o.classes[class.Name] = class.Spec.Selectors
	case claimKind:
		delete(manifest.Object, "status")
		var claim resourcev1.ResourceClaim
		if err := convert(&claim); err != nil {
			return err
		}
		o.claims[ref] = &claim.Spec.Devices
	case claimTemplateKind:
		var template resourcev1.ResourceClaimTemplate
		if err := convert(&template); err != nil {
			return err
		}
		o.claims[ref] = &template.Spec.Spec.Devices
	}
	return nil
}

// claimsOf returns the claims of a pod in a namespace.
func claimsOf(spec *corev1.PodSpec, namespace string) []claimRef {
	var claims []claimRef
	for _, claim := range spec.ResourceClaims {
		switch {
		case claim.ResourceClaimName != nil:
			claims = append(claims, claimRef{claimKind, namespace + "/" + *claim.ResourceClaimName})
		case claim.ResourceClaimTemplateName != nil:
			claims = append(claims, claimRef{claimTemplateKind, namespace + "/" + *claim.ResourceClaimTemplateName})
		}
	}
	return claims
}

// deviceSet are the devices that the pods of a trace claim.
type deviceSet struct {
	kinds map[corev1.ResourceName]*deviceKind
	// names are those of the kinds, by what they have to be like.
	names map[string]corev1.ResourceName
	// missing are the classes that pods use and that are not in the trace.
	missing map[string]bool
}

// withDevices returns the demand with the claimed devices among the requests, and notes about the
// claims for which no device can be made.
func (d *Demand) withDevices() (*Demand, *deviceSet, []string) {
	set := &deviceSet{
		kinds: map[corev1.ResourceName]*deviceKind{}, names: map[string]corev1.ResourceName{}, missing: map[string]bool{},
	}
	problems := map[string][]Owner{}
	out := *d
	out.templates = slices.Clone(d.templates)
	for i, template := range d.templates {
		if len(template.claims) == 0 {
			continue
		}
		with := *template
		with.requests = template.requests.clone()
		for _, ref := range template.claims {
			if err := set.claim(d.devices, ref, with.requests); err != nil {
				problems[err.Error()] = append(problems[err.Error()], d.owners[i]...)
			}
		}
		out.templates[i] = &with
	}
	var notes []string
	for _, problem := range slices.Sorted(maps.Keys(problems)) {
		notes = append(notes, fmt.Sprintf("pods of %s stay pending: %s", ownerNames(mergeOwners(problems[problem])), problem))
	}
	return &out, set, notes
}

// claim adds the devices of a claim to the requests of a pod.
func (s *deviceSet) claim(objects *deviceObjects, ref claimRef, requests amounts) error {
	claim := objects.claims[ref]
	if claim == nil {
		return fmt.Errorf("the %s %s is not in the trace", ref.Kind, ref.Name)
	}
	for _, request := range claim.Requests {
		name, count, err := s.request(objects, &request, claim.Constraints)
		if err != nil {
			return err
		}
		requests[name] += count
	}
	return nil
}

// request returns the name by which the devices of a request are counted, and their number. Of
// alternatives, the first counts.
func (s *deviceSet) request(objects *deviceObjects, request *resourcev1.DeviceRequest, constraints []resourcev1.DeviceConstraint) (corev1.ResourceName, int64, error) {
	var class string
	var selectors []resourcev1.DeviceSelector
	var capacity *resourcev1.CapacityRequirements
	count := int64(1)
	switch {
	case request.Exactly != nil:
		class, selectors, capacity = request.Exactly.DeviceClassName, request.Exactly.Selectors, request.Exactly.Capacity
		count = max(request.Exactly.Count, 1)
	case len(request.FirstAvailable) > 0:
		first := &request.FirstAvailable[0]
		class, selectors, capacity = first.DeviceClassName, first.Selectors, first.Capacity
		count = max(first.Count, 1)
	}
	if problems := validation.IsDNS1123Subdomain(class); len(problems) > 0 {
		return "", 0, fmt.Errorf("a claim has the DeviceClass %q: %s", class, problems[0])
	}
	kind := &deviceKind{
		attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{},
		capacity:   map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{},
	}
	ofClass, known := objects.classes[class]
	if !known {
		s.missing[class] = true
		kind.driver = class
	}
	var expressions []string
	for _, selector := range slices.Concat(ofClass, selectors) {
		if selector.CEL == nil {
			continue
		}
		if err := kind.read(selector.CEL.Expression); err != nil {
			return "", 0, err
		}
		expressions = append(expressions, selector.CEL.Expression)
	}
	if capacity != nil {
		for name, amount := range capacity.Requests {
			kind.capacity[name] = resourcev1.DeviceCapacity{Value: amount}
			expressions = append(expressions, fmt.Sprintf("%s=%s", name, amount.String()))
		}
	}
	for _, constraint := range constraints {
		expressions = append(expressions, kind.constrain(&constraint, request.Name)...)
	}
	kind.driver = cmp.Or(kind.driver, kind.domain(), class)
	name := s.name(class, strings.Join(expressions, " && "))
	s.kinds[name] = kind
	return name, count, nil
}

// name returns a name for the devices of a class that satisfy expressions.
func (s *deviceSet) name(class, expressions string) corev1.ResourceName {
	key := class + " " + expressions
	name, known := s.names[key]
	for number := 1; !known; number++ {
		name = corev1.ResourceName(devicePrefix + class)
		if number > 1 {
			name += corev1.ResourceName(fmt.Sprintf("#%d", number))
		}
		if s.kinds[name] == nil {
			s.names[key], known = name, true
		}
	}
	return name
}

// claimNotes returns notes about pods that claim devices, if nodes are not made for them.
func (d *Demand) claimNotes() []string {
	var owners []Owner
	for i, template := range d.templates {
		if len(template.claims) > 0 {
			owners = append(owners, d.owners[i]...)
		}
	}
	if len(owners) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("pods of %s claim devices: they stay pending unless the trace has ResourceSlices for these nodes, or with --nodes auto, which makes devices",
		ownerNames(mergeOwners(owners)))}
}

// sharesDevices reports whether the pods of a template have a claim in common, so that all of them
// run on the node with its devices.
func (t *podTemplate) sharesDevices() bool {
	return slices.ContainsFunc(t.claims, func(ref claimRef) bool { return ref.Kind == claimKind })
}

// constrain adds an attribute by which the devices of a claim have to be equal or different.
func (k *deviceKind) constrain(constraint *resourcev1.DeviceConstraint, request string) []string {
	if len(constraint.Requests) > 0 && !slices.Contains(constraint.Requests, request) {
		return nil
	}
	if match := constraint.MatchAttribute; match != nil {
		name := resourcev1.QualifiedName(*match)
		if _, set := k.attributes[name]; !set {
			same := "same"
			k.attributes[name] = resourcev1.DeviceAttribute{StringValue: &same}
		}
		return []string{"the same " + string(name)}
	}
	if distinct := constraint.DistinctAttribute; distinct != nil {
		k.distinct = append(k.distinct, resourcev1.QualifiedName(*distinct))
		return []string{"different " + string(*distinct)}
	}
	return nil
}

// domain returns the first domain of an attribute or a capacity, which often is that of the driver.
func (k *deviceKind) domain() string {
	names := append(slices.Collect(maps.Keys(k.attributes)), slices.Collect(maps.Keys(k.capacity))...)
	slices.Sort(names)
	for _, name := range names {
		if domain, _, ok := strings.Cut(string(name), "/"); ok && !strings.HasSuffix(domain, "kubernetes.io") {
			return domain
		}
	}
	return ""
}

// isDeviceGroup reports whether a kind is about devices.
func isDeviceGroup(gvk schema.GroupVersionKind) bool { return gvk.Group == resourcev1.GroupName }
