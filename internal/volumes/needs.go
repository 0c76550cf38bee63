package volumes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/internal/words"
	"simkube.io/simkube/trace"
)

// DefaultClass is the name of the default StorageClass of the embedded cluster.
const DefaultClass = "standard"

// spareDefaultClass is its name if the trace has a class of that name that is not the default.
const spareDefaultClass = "standard-simulated"

// Needs are what the claims of a trace need of a cluster that belongs to the trace alone and
// provisions volumes for every class.
type Needs struct {
	// DefaultClass is the name of the class to add as the default, or "" if there is no need for one.
	DefaultClass string
	// Classes are the classes that do not exist. The pods of their claims stay pending.
	Classes []Missing
	// Claims are the claims that pods refer to and that do not exist. The pods stay pending.
	Claims []Missing
	// Unserved are the claims that ask for a volume without a class, which does not exist.
	Unserved Missing
	// Omitted is the number of volumes that are not replayed, because others are provisioned.
	Omitted int
	// Drivers are the limits of nodes that the trace does not have.
	Drivers []storagev1.CSINodeDriver

	defaults demand // the claims that use the default class
	nodes    map[string][]storagev1.CSINodeDriver
	volumes  map[string]*volume
}

// Missing is something that claims or pods need and that does not exist.
type Missing struct {
	// Name is the name of the class, or the namespace and name of the claim.
	Name string
	// Claims is the number of claims that need it.
	Claims int
	// Uses are the claims and templates that name it, sorted by object.
	Uses []Use
}

// Use is a place in an object of the trace.
type Use struct {
	GVK schema.GroupVersionKind
	// Name is the namespace and name of the object.
	Name string
	// Path is the path of the name of the class: "spec.volumeClaimTemplates[0].spec.storageClassName".
	Path string
	// Event is the index of the first event with the object, and Time its time in unix seconds.
	Event int
	Time  int64
}

// owner returns the kind and the name of the object.
func (u *Use) owner() string { return trace.FormatGVK(u.GVK) + " " + u.Name }

// demand is claims of one class.
type demand struct {
	claims int
	uses   []Use
}

func (d *demand) missing(name string) Missing {
	slices.SortFunc(d.uses, func(a, b Use) int { return cmp.Or(cmp.Compare(a.owner(), b.owner()), cmp.Compare(a.Path, b.Path)) })
	return Missing{Name: name, Claims: d.claims, Uses: d.uses}
}

// owners lists the objects of uses: the first three by name.
func owners(uses []Use) string {
	const shown = 3
	names := make([]string, 0, len(uses))
	for i := range uses {
		names = append(names, uses[i].owner())
	}
	slices.Sort(names)
	return words.First(shown, slices.Compact(names)...)
}

// Needs ends the survey.
func (s *Survey) Needs() *Needs {
	needs := &Needs{Omitted: s.binding.omitted, Drivers: s.drivers(), nodes: s.nodes, volumes: s.volumes}
	asking, silent := s.demands()
	if s.hasDefault() {
		silent.claims = 0
	}
	// A volume without a class serves claims that ask for none, and those that ask for nothing if no
	// class is the default.
	spare := s.spareVolumes()
	if unclassed := asking[""]; unclassed != nil {
		if unclassed.claims > spare[""] {
			needs.Unserved = unclassed.missing("")
		}
		spare[""] = max(spare[""]-unclassed.claims, 0)
		delete(asking, "")
	}
	needs.addDefault(s, asking, silent, spare[""])
	for _, name := range slices.Sorted(maps.Keys(asking)) {
		if s.classes[name] == nil && name != needs.DefaultClass && asking[name].claims > spare[name] {
			needs.Classes = append(needs.Classes, asking[name].missing(name))
		}
	}
	needs.Claims = s.missingClaims()
	return needs
}

// demands counts the claims without a recorded volume by the class that they ask for, and those
// that ask for none.
func (s *Survey) demands() (asking map[string]*demand, silent *demand) {
	asking, silent = map[string]*demand{}, &demand{}
	count := func(class string, asks bool, use Use, claims int) {
		if claims <= 0 {
			return
		}
		of := silent
		if asks {
			if of = asking[class]; of == nil {
				of = &demand{}
				asking[class] = of
			}
		}
		of.claims += claims
		of.uses = append(of.uses, use)
	}
	owned := map[string]bool{} // claims of templates
	for _, u := range s.users {
		for _, t := range u.templates {
			claims := t.claims
			for i := range t.claims {
				if t.prefix == "" || len(s.claims) == 0 && len(s.volumes) == 0 {
					break
				}
				key := u.namespace + "/" + t.prefix + fmt.Sprint(i)
				owned[key] = true
				if recorded := s.claims[key]; s.reserved[key] != nil || recorded != nil && recorded.volume != "" {
					claims--
				}
			}
			count(t.class, t.asks, u.use(t.path), claims)
		}
	}
	for key, c := range s.claims {
		if c.volume == "" && s.reserved[key] == nil && !owned[key] {
			count(c.class, c.asks, c.use, 1)
		}
	}
	return asking, silent
}

// spareVolumes counts the volumes that are reserved for no claim, by class.
func (s *Survey) spareVolumes() map[string]int {
	spare := map[string]int{}
	bound := map[string]bool{}
	for _, c := range s.claims {
		bound[c.volume] = true
	}
	for name, v := range s.volumes {
		if v.claim == "" && !bound[name] {
			spare[v.class]++
		}
	}
	return spare
}

// The annotations that make a class the default.
const (
	annotationDefault     = "storageclass.kubernetes.io/is-default-class"
	annotationDefaultBeta = "storageclass.beta.kubernetes.io/is-default-class"
)

func (s *Survey) hasDefault() bool {
	for _, class := range s.classes {
		if class.Annotations[annotationDefault] == "true" || class.Annotations[annotationDefaultBeta] == "true" {
			return true
		}
	}
	return false
}

// addDefault decides whether there is to be a default class: if claims that ask for no class have
// no volumes, or if claims ask for the default class by the name that it has in many clusters.
func (n *Needs) addDefault(s *Survey, asking map[string]*demand, silent *demand, spare int) {
	switch {
	case silent.claims > spare:
		n.DefaultClass = cmp.Or(s.recordedDefault(), DefaultClass)
		if s.classes[n.DefaultClass] != nil {
			n.DefaultClass = spareDefaultClass
		}
	case asking[DefaultClass] != nil && s.classes[DefaultClass] == nil && !s.hasDefault():
		n.DefaultClass = DefaultClass
	default:
		return
	}
	if silent.claims > spare {
		n.defaults = *silent
	}
	if named := asking[n.DefaultClass]; named != nil {
		n.defaults.claims += named.claims
		n.defaults.uses = append(n.defaults.uses, named.uses...)
	}
}

// recordedDefault returns the class that the API server of the recorded cluster gave to claims of
// StatefulSets whose templates ask for none, or "".
func (s *Survey) recordedDefault() string {
	for _, u := range s.sortedUsers() {
		for _, t := range u.templates {
			if t.asks || t.prefix == "" {
				continue
			}
			for i := range t.claims {
				if c := s.claims[u.namespace+"/"+t.prefix+fmt.Sprint(i)]; c != nil && c.class != "" {
					return c.class
				}
			}
		}
	}
	return ""
}

// missingClaims returns the claims that pods refer to and that neither the trace has nor a
// StatefulSet creates.
func (s *Survey) missingClaims() []Missing {
	made := func(key string) bool {
		for _, u := range s.users {
			for _, t := range u.templates {
				if ordinal, ok := strings.CutPrefix(key, u.namespace+"/"+t.prefix); t.prefix != "" && ok && ordinal != "" && strings.Trim(ordinal, "0123456789") == "" {
					return true
				}
			}
		}
		return false
	}
	missing := map[string]*demand{}
	for _, u := range s.users {
		for _, name := range u.refers {
			key := u.namespace + "/" + name
			if s.claims[key] != nil || made(key) {
				continue
			}
			if missing[key] == nil {
				missing[key] = &demand{claims: 1}
			}
			missing[key].uses = append(missing[key].uses, u.use(""))
		}
	}
	var out []Missing
	for _, key := range slices.Sorted(maps.Keys(missing)) {
		out = append(out, missing[key].missing(key))
	}
	return out
}

// Infos returns what the cluster adds or changes, for the user. hosts are the names of its nodes'
// hosts.
func (n *Needs) Infos(hosts []string) []string {
	var infos []string
	if n.DefaultClass != "" {
		infos = append(infos, fmt.Sprintf("the StorageClass %q is added as the default, because the trace has none: %s of %s use it",
			n.DefaultClass, words.Count(n.defaults.claims, "claim"), owners(n.defaults.uses)))
	}
	if n.Omitted > 0 {
		infos = append(infos, fmt.Sprintf("%s left out, because the claims get simulated volumes when the replay needs them",
			are(n.Omitted, "recorded volume")))
	}
	if released := n.released(hosts); released > 0 {
		infos = append(infos, fmt.Sprintf("%s stored on hosts that are not simulated: their pods can run on all nodes",
			are(released, "recorded volume")))
	}
	for _, driver := range n.Drivers {
		infos = append(infos, fmt.Sprintf("each node takes at most %s of the driver %s, as in most CSINodes of the trace",
			words.Count(*driver.Allocatable.Count, "volume"), driver.Name))
	}
	return infos
}

// released counts the volumes of hosts that are not among these.
func (n *Needs) released(hosts []string) int {
	known := make(map[string]bool, len(hosts))
	for _, host := range hosts {
		known[host] = true
	}
	count := 0
	for _, v := range n.volumes {
		if _, released := ReleaseHosts(v.nodes, known); released {
			count++
		}
	}
	return count
}

// are returns a number of things as the subject of a sentence: "1 volume is", "2 volumes are".
func are(n int, noun string) string {
	verb := "are"
	if n == 1 {
		verb = "is"
	}
	return words.Count(n, noun) + " " + verb
}

// verb returns what a number of things do: "needs" or "need".
func verb(n int, do string) string {
	if n == 1 {
		return do + "s"
	}
	return do
}

// shownClaims is how many missing claims a warning names.
const shownClaims = 3

// Warnings returns why pods will stay pending, for the user.
func (n *Needs) Warnings() []string {
	var warnings []string
	for _, class := range n.Classes {
		warnings = append(warnings, fmt.Sprintf("%s of %s %s the StorageClass %q, which is not in the trace: their pods stay pending; "+
			"record StorageClasses too, or remove the name of the class, so that the default class is used",
			words.Count(class.Claims, "claim"), owners(class.Uses), verb(class.Claims, "need"), class.Name))
	}
	if n.Unserved.Claims > 0 {
		warnings = append(warnings, fmt.Sprintf("%s of %s %s for a volume without a class, and the trace does not have enough such volumes: their pods stay pending; "+
			"record PersistentVolumes too, or remove the empty name of the class, so that the default class is used",
			words.Count(n.Unserved.Claims, "claim"), owners(n.Unserved.Uses), verb(n.Unserved.Claims, "ask")))
	}
	byOwners := map[string][]string{}
	for _, claim := range n.Claims {
		users := owners(claim.Uses)
		byOwners[users] = append(byOwners[users], claim.Name)
	}
	for _, users := range slices.Sorted(maps.Keys(byOwners)) {
		warnings = append(warnings, fmt.Sprintf("pods of %s use the claims %s, not in the trace: they stay pending; record PersistentVolumeClaims too",
			users, words.First(shownClaims, byOwners[users]...)))
	}
	return warnings
}
