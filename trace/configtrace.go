package trace

import "k8s.io/apimachinery/pkg/runtime/schema"

// config reads the tracer config in a trace. It is more lenient than ParseConfig: it skips unknown
// fields and does not compare paths with the built-in ones.
func (s *scanner) config() (Config, *FormatError) {
	config := Config{TrackedObjects: map[schema.GroupVersionKind]TrackedObject{}}
	err := s.fields(func(key []byte) *FormatError {
		if string(key) != "trackedObjects" {
			return s.skipAny(configDepth)
		}
		if none, err := s.null(); none || err != nil {
			return err
		}
		return s.entries(func() *FormatError {
			pos := s.pos
			gvk, key, err := s.gvk()
			if err != nil {
				return err
			}
			if _, ok := config.TrackedObjects[gvk]; ok {
				return s.duplicate(pos, key)
			}
			if config.TrackedObjects[gvk], err = s.trackedObject(); err != nil {
				return err.in(key)
			}
			return nil
		})
	})
	return config, err
}

// configDepth is the nesting depth of the fields of the config. The fields of a tracked object are
// two levels deeper.
const configDepth = 2

func (s *scanner) trackedObject() (TrackedObject, *FormatError) {
	var object TrackedObject
	var old []string
	if none, err := s.null(); none || err != nil {
		return object, err
	}
	err := s.fields(func(key []byte) (err *FormatError) {
		switch name := string(key); name {
		case "podSpecTemplatePaths", "podSpecTemplatePath", "trackLifecycle", "skipOwned":
			var none bool
			if none, err = s.null(); none || err != nil {
				return err
			}
			switch name {
			case "podSpecTemplatePaths":
				object.PodSpecTemplatePaths, err = s.paths()
			case "podSpecTemplatePath":
				var path string
				path, err = s.text()
				old = []string{path}
			case "trackLifecycle":
				object.TrackLifecycle, err = s.boolean()
			case "skipOwned":
				object.SkipOwned, err = s.boolean()
			}
			return err
		}
		return s.skipAny(configDepth + 2)
	})
	if object.PodSpecTemplatePaths == nil {
		object.PodSpecTemplatePaths = old
	}
	return object, err
}

// paths reads a list of strings. It returns nil if the list is empty.
func (s *scanner) paths() ([]string, *FormatError) {
	n, err := s.arrayHeader()
	if err != nil {
		return nil, err
	}
	var paths []string
	for i := range n {
		path, err := s.text()
		if err != nil {
			return nil, err.at(i)
		}
		paths = append(paths, path)
	}
	return paths, nil
}
