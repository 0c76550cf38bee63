package validate

import (
	"slices"
	"strings"
)

// tokenVolumePrefix is the prefix of the name of the volume with the token of a pod's service
// account. A replay leaves the volume out.
const tokenVolumePrefix = "kube-api-access"

// containerLists are the lists of containers in a pod.
var containerLists = [...]string{"containers", "initContainers", "ephemeralContainers"}

// podSpec reads a pod's spec.
func (r *factsReader) podSpec(b []byte) (rest []byte) {
	r.pieces, r.mounts = r.pieces[:0], 0
	var account, alias, priority, runtime []byte
	rest = eachField(b, func(key, value []byte) []byte {
		switch string(key) {
		case "serviceAccountName":
			return readString(value, &account)
		case "serviceAccount":
			return readString(value, &alias)
		case "priorityClassName":
			return readString(value, &priority)
		case "runtimeClassName":
			return readString(value, &runtime)
		case "volumes":
			defer r.pop(r.push("volumes"))
			return eachElement(value, r.volume)
		case "overhead":
			return r.piece(pieceOverhead, value)
		case "resources":
			return r.piece(piecePod, value)
		}
		if list := slices.Index(containerLists[:], string(key)); list >= 0 {
			defer r.pop(r.push(containerLists[list]))
			return eachElement(value, func(i int, value []byte) []byte {
				defer r.pop(r.pushIndex(i))
				return r.container(list, value)
			})
		}
		return skip(value)
	})
	if len(account) > 0 {
		if r.field(useServiceAccount, "serviceAccountName", account) {
			r.out.refs[len(r.out.refs)-1].alias = r.text(alias)
		}
	} else {
		r.field(useServiceAccount, "serviceAccount", alias)
	}
	r.field(usePriorityClass, "priorityClassName", priority)
	r.field(useRuntimeClass, "runtimeClassName", runtime)
	r.out.templates = append(r.out.templates, template{path: r.text(r.path), prefix: r.prefix, demand: r.demand(), mounts: r.mounts})
	return rest
}

// field adds a reference in a field of the spec that contains the name of an object.
func (r *factsReader) field(u use, name string, value []byte) bool {
	at := r.push(name)
	defer r.pop(at)
	return r.refer(spot{use: u, form: inField, prefix: r.prefix, list: name}, value, false)
}

// refer adds a reference at the current path.
func (r *factsReader) refer(s spot, name []byte, optional bool) bool {
	if len(name) == 0 {
		return false
	}
	r.out.refs = append(r.out.refs, reference{spot: s, name: r.text(name), path: r.text(r.path), optional: optional})
	return true
}

// source reads a reference that is a map with the object's name under nameKey, at a field.
func (r *factsReader) source(s spot, field, nameKey string, b []byte) (rest []byte) {
	var name []byte
	optional := false
	rest = eachField(b, func(key, value []byte) []byte {
		switch string(key) {
		case nameKey:
			return readString(value, &name)
		case "optional":
			return readTrue(value, &optional)
		}
		return skip(value)
	})
	at := r.push(field)
	r.push(nameKey)
	r.refer(s, name, optional)
	r.pop(at)
	return rest
}

func (r *factsReader) volume(i int, b []byte) (rest []byte) {
	defer r.pop(r.pushIndex(i))
	first := len(r.out.refs)
	var name []byte
	at := func(u use, f form) spot { return spot{use: u, form: f, prefix: r.prefix} }
	rest = eachField(b, func(key, value []byte) []byte {
		switch string(key) {
		case "name":
			return readString(value, &name)
		case "secret":
			return r.source(at(useVolumeSecret, inVolume), "secret", "secretName", value)
		case "configMap":
			return r.source(at(useVolumeConfigMap, inVolume), "configMap", "name", value)
		case "persistentVolumeClaim":
			return r.source(at(useClaim, inVolume), "persistentVolumeClaim", "claimName", value)
		case "projected":
			return r.projected(value)
		}
		return skip(value)
	})
	for i := first; i < len(r.out.refs); i++ {
		ref := &r.out.refs[i]
		ref.volume = r.text(name)
		ref.optional = ref.optional || strings.HasPrefix(ref.volume, tokenVolumePrefix)
	}
	return rest
}

func (r *factsReader) projected(b []byte) (rest []byte) {
	return eachField(b, func(key, value []byte) []byte {
		if string(key) != "sources" {
			return skip(value)
		}
		at := r.push("projected")
		r.push("sources")
		defer r.pop(at)
		return eachElement(value, func(i int, value []byte) []byte {
			defer r.pop(r.pushIndex(i))
			return eachField(value, func(key, value []byte) []byte {
				switch string(key) {
				case "secret":
					return r.source(spot{use: useVolumeSecret, form: inProjected, prefix: r.prefix}, "secret", "name", value)
				case "configMap":
					return r.source(spot{use: useVolumeConfigMap, form: inProjected, prefix: r.prefix}, "configMap", "name", value)
				}
				return skip(value)
			})
		})
	})
}

func (r *factsReader) container(list int, b []byte) (rest []byte) {
	var resources, restartPolicy []byte
	rest = eachField(b, func(key, value []byte) []byte {
		switch string(key) {
		case "env":
			defer r.pop(r.push("env"))
			return eachElement(value, func(i int, value []byte) []byte {
				defer r.pop(r.pushIndex(i))
				return r.env(list, value)
			})
		case "envFrom":
			defer r.pop(r.push("envFrom"))
			return eachElement(value, func(i int, value []byte) []byte {
				defer r.pop(r.pushIndex(i))
				return r.sources(list, inEnvFrom, "secretRef", "configMapRef", value)
			})
		case "volumeMounts":
			r.mounts |= 1 << list
		case "volumeDevices":
			r.mounts |= 1 << (list + len(containerLists))
		case "restartPolicy":
			return readString(value, &restartPolicy)
		case "resources":
			rest := skip(value)
			resources = value[:len(value)-len(rest)]
			return rest
		}
		return skip(value)
	})
	switch {
	case resources == nil || list == 2:
	case list == 0:
		r.piece(pieceContainer, resources)
	case string(restartPolicy) == "Always":
		r.piece(pieceSidecar, resources)
	default:
		r.piece(pieceInit, resources)
	}
	return rest
}

func (r *factsReader) env(list int, b []byte) (rest []byte) {
	return eachField(b, func(key, value []byte) []byte {
		if string(key) != "valueFrom" {
			return skip(value)
		}
		defer r.pop(r.push("valueFrom"))
		return r.sources(list, inEnv, "secretKeyRef", "configMapKeyRef", value)
	})
}

// sources reads a map with a reference to a secret or a config map under these keys.
func (r *factsReader) sources(list int, f form, secret, configMap string, b []byte) (rest []byte) {
	return eachField(b, func(key, value []byte) []byte {
		s := spot{form: f, prefix: r.prefix, list: containerLists[list]}
		switch string(key) {
		case secret:
			s.use = useEnvSecret
			return r.source(s, secret, "name", value)
		case configMap:
			s.use = useEnvConfigMap
			return r.source(s, configMap, "name", value)
		}
		return skip(value)
	})
}
