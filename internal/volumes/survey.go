package volumes

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Survey collects what a trace says about volumes, in one pass. It keeps no objects other than
// classes and the topology of volumes. It is not safe for concurrent use.
type Survey struct {
	config  *trace.Config
	paths   map[schema.GroupVersionKind][]string // of pod templates, from config
	binding *Binding
	events  int
	now     int64
	classes map[string]*storagev1.StorageClass
	// volumes are all volumes of the trace that are replayed.
	volumes map[string]*volume
	// reserved are the volumes that are reserved for a claim, by the claim's namespace and name.
	reserved map[string]*volume
	// claims are all claims of the trace, by namespace and name.
	claims map[string]*claim
	// users are the objects with pods that use claims, by kind and name.
	users map[string]*user
	// nodes are the drivers of the recorded CSINodes, by name.
	nodes map[string][]storagev1.CSINodeDriver
}

// volume is a recorded volume that is replayed.
type volume struct {
	class string
	// claim is the claim that it is reserved for, or "".
	claim string
	// nodes are those on which it can be used; nil means all.
	nodes *corev1.NodeSelector
	// driver is its CSI driver, or "" if it has none.
	driver string
}

// claim is a recorded claim.
type claim struct {
	class  string
	asks   bool   // for the class
	volume string // that it is bound to, or ""
	use    Use
}

// user is an object that uses claims.
type user struct {
	first     Use // the object in the first event with it
	namespace string
	hash      uint64
	// refers are the claims that its pods refer to by name.
	refers []string
	// templates are its templates of claims.
	templates []template
}

// template is a template of claims of a StatefulSet, or of pods.
type template struct {
	path string // of the name of the class, or "" if it is not known
	// prefix precedes the ordinals in the names of a StatefulSet's claims; it is empty for others.
	prefix string
	class  string
	asks   bool
	// claims is how many claims are made of it, at least 1.
	claims int
}

// NewSurvey returns a survey of a trace with this tracer configuration.
func NewSurvey(config *trace.Config) *Survey {
	return &Survey{
		config: config, binding: NewBinding(), paths: map[schema.GroupVersionKind][]string{},
		classes:  map[string]*storagev1.StorageClass{},
		volumes:  map[string]*volume{},
		reserved: map[string]*volume{},
		claims:   map[string]*claim{},
		users:    map[string]*user{},
		nodes:    map[string][]storagev1.CSINodeDriver{},
	}
}

// Add processes the next event. Objects that can't be decoded are ignored: the replay reports them.
func (s *Survey) Add(event *trace.Event) {
	s.binding.Add(event)
	s.now = event.Time
	defer func() { s.events++ }()
	for i := range event.Applied {
		object := &event.Applied[i]
		switch object.GVK().GroupKind() {
		case classKind:
			if class, err := convert[storagev1.StorageClass](object); err == nil {
				s.classes[class.Name] = class
			}
		case csiNodeKind:
			if node, err := convert[storagev1.CSINode](object); err == nil && len(node.Spec.Drivers) > 0 {
				s.nodes[node.Name] = node.Spec.Drivers
			}
		case volumeKind:
			s.addVolume(object)
		case claimKind:
			s.addClaim(object)
		default:
			s.addUser(object)
		}
	}
}

func (s *Survey) addVolume(object *trace.Object) {
	recorded, err := convert[corev1.PersistentVolume](object)
	if err != nil || s.binding.Omits(object, false) {
		return
	}
	added := &volume{class: recorded.Spec.StorageClassName, claim: claimOf(recorded)}
	if affinity := recorded.Spec.NodeAffinity; affinity != nil {
		added.nodes = affinity.Required
	}
	if csi := recorded.Spec.CSI; csi != nil {
		added.driver = csi.Driver
	}
	s.volumes[recorded.Name] = added
	if added.claim != "" {
		s.reserved[added.claim] = added
	}
}

func (s *Survey) addClaim(object *trace.Object) {
	recorded, err := convert[corev1.PersistentVolumeClaim](object)
	if err != nil {
		return
	}
	key := object.NamespacedName()
	name, asks := className(recorded.Annotations, &recorded.Spec)
	bound, _ := s.binding.Claim(key)
	use := s.useOf(object, "spec.storageClassName")
	if known := s.claims[key]; known != nil {
		use = known.use
	}
	s.claims[key] = &claim{class: name, asks: asks, volume: bound, use: use}
}

// useOf returns a place in an object of the current event.
func (s *Survey) useOf(object *trace.Object, path string) Use {
	return Use{GVK: object.GVK(), Name: object.NamespacedName(), Path: path, Event: s.events, Time: s.now}
}

// use returns a place in the object.
func (u *user) use(path string) Use {
	use := u.first
	use.Path = path
	return use
}

func (s *Survey) addUser(object *trace.Object) {
	gvk := object.GVK()
	paths, known := s.paths[gvk]
	if !known {
		paths = s.config.PodSpecTemplatePaths(gvk)
		s.paths[gvk] = paths
	}
	if len(paths) == 0 && gvk.GroupKind() != statefulSetKind || !usesClaims(object) {
		return
	}
	first := s.useOf(object, "")
	owner := first.owner()
	if known := s.users[owner]; known != nil && known.hash == object.Hash() {
		return
	}
	u, err := object.Unstructured()
	if err != nil {
		return
	}
	if known := s.users[owner]; known != nil {
		first = known.first
	}
	found := &user{first: first, namespace: object.Namespace(), hash: object.Hash()}
	if gvk.GroupKind() == statefulSetKind {
		found.templates = claimTemplates(u.Object)
	}
	for _, path := range paths {
		locations, err := trace.ResolvePaths(u.Object, path)
		if err != nil {
			continue
		}
		for _, location := range locations {
			pod, _ := location.Value.(map[string]any)
			spec, _ := pod["spec"].(map[string]any)
			found.addVolumes(podVolumes(spec))
		}
	}
	s.users[owner] = found
}

// claimTemplates returns the templates of claims of a StatefulSet.
func claimTemplates(object map[string]any) []template {
	var set appsv1.StatefulSet
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &set); err != nil {
		return nil
	}
	replicas := 1
	if set.Spec.Replicas != nil {
		replicas = int(*set.Spec.Replicas)
	}
	var templates []template
	for i := range set.Spec.VolumeClaimTemplates {
		of := &set.Spec.VolumeClaimTemplates[i]
		class, asks := className(of.Annotations, &of.Spec)
		templates = append(templates, template{path: fmt.Sprintf("spec.volumeClaimTemplates[%d].spec.storageClassName", i), prefix: of.Name + "-" + set.Name + "-", class: class, asks: asks, claims: max(replicas, 1)})
	}
	return templates
}

// podVolumes returns the volumes of a pod.
func podVolumes(spec map[string]any) []corev1.Volume {
	var pod corev1.PodSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"volumes": spec["volumes"]}, &pod); err != nil {
		return nil
	}
	return pod.Volumes
}

// addVolumes adds the claims of a pod template.
func (u *user) addVolumes(volumes []corev1.Volume) {
	for _, volume := range volumes {
		switch {
		case volume.PersistentVolumeClaim != nil:
			if !u.makes(volume.Name) {
				u.refers = append(u.refers, volume.PersistentVolumeClaim.ClaimName)
			}
		case volume.Ephemeral != nil && volume.Ephemeral.VolumeClaimTemplate != nil:
			of := volume.Ephemeral.VolumeClaimTemplate
			class, asks := className(of.Annotations, &of.Spec)
			u.templates = append(u.templates, template{class: class, asks: asks, claims: 1})
		}
	}
}

// makes reports whether a StatefulSet replaces a volume of its pods by one with a claim of its own.
func (u *user) makes(volume string) bool {
	return slices.ContainsFunc(u.templates, func(t template) bool {
		return len(t.prefix) > len(volume) && t.prefix[:len(volume)+1] == volume+"-"
	})
}

// sortedUsers returns the users in the order of their names.
func (s *Survey) sortedUsers() []*user {
	users := make([]*user, 0, len(s.users))
	for _, owner := range slices.Sorted(maps.Keys(s.users)) {
		users = append(users, s.users[owner])
	}
	return users
}
