package tracejson

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// byName reads an object by kind and then name, the form of the index and the lifecycles. value
// reads the value of a name.
func (d *decoder) byName(begin func(schema.GroupVersionKind), value func(at position, gvk schema.GroupVersionKind, name string) *Error) *Error {
	return d.object("an object by kind", func(at position, key []byte) *Error {
		kind := string(key)
		gvk, parseErr := trace.ParseGVK(kind)
		if parseErr != nil {
			return at.fail(trace.ErrValue, "%v", parseErr)
		}
		begin(gvk)
		err := d.object("an object by namespaced name", func(at position, key []byte) *Error {
			name := string(key)
			if err := value(at, gvk, name); err != nil {
				return err.in(name)
			}
			return nil
		})
		if err != nil {
			return err.in(kind)
		}
		return nil
	})
}

func (d *decoder) index() *Error {
	if d.tail.Index == nil {
		d.tail.Index = trace.Index{}
	}
	begin := func(gvk schema.GroupVersionKind) {
		if d.tail.Index[gvk] == nil {
			d.tail.Index[gvk] = map[string]uint64{}
		}
	}
	return d.byName(begin, func(at position, gvk schema.GroupVersionKind, name string) *Error {
		if _, ok := d.tail.Index[gvk][name]; ok {
			return at.fail(trace.ErrDuplicateKey, "the object is there twice")
		}
		hash, err := d.hash()
		d.tail.Index[gvk][name] = hash
		return err
	})
}

func (d *decoder) lifecycles() *Error {
	if d.tail.Lifecycles == nil {
		d.tail.Lifecycles = trace.Lifecycles{}
	}
	return d.byName(func(schema.GroupVersionKind) {}, func(at position, gvk schema.GroupVersionKind, name string) *Error {
		owner := trace.PodOwner{GVK: gvk, Name: name}
		if _, ok := d.tail.Lifecycles[owner]; ok {
			return at.fail(trace.ErrDuplicateKey, "the owner is there twice")
		}
		pods := map[uint64][]trace.Lifecycle{}
		d.tail.Lifecycles[owner] = pods
		return d.object("an object by pod hash", func(at position, key []byte) *Error {
			text := string(key)
			hash, err := parseHash(key, at)
			if err != nil {
				return err
			}
			if _, ok := pods[hash]; ok {
				return at.fail(trace.ErrDuplicateKey, "the pod hash %d is there twice", hash)
			}
			list := []trace.Lifecycle{}
			err = d.array("an array of lifecycles", func(int) *Error {
				l, err := d.lifecycle()
				list = append(list, l)
				return err
			})
			pods[hash] = list
			if err != nil {
				return err.in(text)
			}
			return nil
		})
	})
}

const lifecycleForms = `a lifecycle: "Empty", {"Running": start} or {"Finished": [start, end]}`

func (d *decoder) lifecycle() (l trace.Lifecycle, _ *Error) {
	c, err := d.peek("a lifecycle")
	if err != nil {
		return l, err
	}
	at := d.here()
	if c == '"' {
		text, err := d.string("a lifecycle")
		if err == nil && string(text) != trace.Empty.String() {
			err = at.fail(trace.ErrValue, "want %s, got %.64q", lifecycleForms, text)
		}
		return l, err
	}
	if c != '{' {
		return l, d.want(lifecycleForms, c)
	}
	err = d.object("a lifecycle", func(keyAt position, key []byte) *Error {
		switch {
		case l.State != trace.Empty:
			return keyAt.fail(trace.ErrValue, "want %s, got more than that", lifecycleForms)
		case string(key) == trace.Running.String():
			l.State = trace.Running
			return d.seconds(&l.Start)
		case string(key) == trace.Finished.String():
			l.State = trace.Finished
			return d.startAndEnd(&l)
		}
		return keyAt.fail(trace.ErrValue, "want %s, got %.64q", lifecycleForms, key)
	})
	if err == nil && l.State == trace.Empty {
		err = at.fail(trace.ErrMissingKey, "want %s", lifecycleForms)
	}
	return l, err
}

func (d *decoder) startAndEnd(l *trace.Lifecycle) *Error {
	at, n := d.here(), 0
	err := d.array("an array of a start and an end", func(i int) *Error {
		n++
		switch i {
		case 0:
			return d.seconds(&l.Start)
		case 1:
			return d.seconds(&l.End)
		}
		return d.here().fail(trace.ErrType, "want a start and an end, got more")
	})
	if err == nil && n < 2 {
		err = at.fail(trace.ErrType, "want a start and an end, got %d of them", n)
	}
	return err
}

// seconds reads a time.
func (d *decoder) seconds(to *int64) *Error {
	c, err := d.peek("a time")
	if err != nil {
		return err
	}
	if c != '0' {
		return d.want("a time in unix seconds, an integer", c)
	}
	at := d.here()
	text, isInteger, err := d.number()
	if err != nil {
		return err
	}
	if !isInteger {
		return at.fail(trace.ErrType, "want a time in unix seconds, an integer, got %.64s", text)
	}
	v, negative, err := parseInteger(text, at)
	if err == nil && int64(v) < 0 != negative {
		err = at.fail(trace.ErrValue, "%.64s is too large for a time", text)
	}
	*to = int64(v)
	return err
}

// config reads the tracer's configuration.
func (d *decoder) config() (*trace.Config, *Error) {
	config := &trace.Config{TrackedObjects: map[schema.GroupVersionKind]trace.TrackedObject{}}
	seen := false
	err := d.object("an object", func(at position, key []byte) *Error {
		if string(key) != keyTracked || seen {
			return at.fail(ErrForm, "want the key %s once, got %.64q", keyTracked, key)
		}
		seen = true
		err := d.object("an object by kind", func(at position, key []byte) *Error {
			kind := string(key)
			gvk, parseErr := trace.ParseGVK(kind)
			if parseErr != nil {
				return at.fail(trace.ErrValue, "%v", parseErr)
			}
			if _, ok := config.TrackedObjects[gvk]; ok {
				return at.fail(trace.ErrDuplicateKey, "the kind %s is there twice", kind)
			}
			object, err := d.trackedObject()
			config.TrackedObjects[gvk] = object
			if err != nil {
				return err.in(kind)
			}
			return nil
		})
		if err != nil {
			return err.in(keyTracked)
		}
		return nil
	})
	return config, err
}

func (d *decoder) trackedObject() (object trace.TrackedObject, _ *Error) {
	if c, err := d.peek("an object"); err != nil {
		return object, err
	} else if c == 'n' {
		return object, d.token("null")
	}
	var old []string
	seen := map[string]bool{}
	err := d.object("an object", func(at position, k []byte) (err *Error) {
		key := string(k)
		if seen[key] {
			return at.fail(trace.ErrDuplicateKey, "the key %s is there twice", key)
		}
		seen[key] = true
		switch key {
		case keyPaths:
			err = d.array("an array of JSON Pointers", func(int) *Error {
				path, err := d.string("a JSON Pointer, a string")
				object.PodSpecTemplatePaths = append(object.PodSpecTemplatePaths, string(path))
				return err
			})
		case keyOldPath:
			var path []byte
			path, err = d.string("a JSON Pointer, a string")
			old = []string{string(path)}
		case keySkipOwned:
			object.SkipOwned, err = d.boolean()
		case keyTrackLifecycle:
			object.TrackLifecycle, err = d.boolean()
		default:
			return at.fail(ErrForm, "the key %.64q is none of %s, %s, %s", key, keyPaths, keySkipOwned, keyTrackLifecycle)
		}
		if err != nil {
			return err.in(key)
		}
		return nil
	})
	if object.PodSpecTemplatePaths == nil {
		object.PodSpecTemplatePaths = old
	}
	return object, err
}

func (d *decoder) boolean() (bool, *Error) {
	c, err := d.peek("true or false")
	switch {
	case err != nil:
		return false, err
	case c == 't':
		return true, d.token("true")
	case c == 'f':
		return false, d.token("false")
	}
	return false, d.want("true or false", c)
}
