package manifest

import (
	"bytes"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"

	"simkube.io/simkube/trace"
)

// eventTypes are those of frames.
var eventTypes = [...]watch.EventType{watch.Added, watch.Modified, watch.Deleted, watch.Bookmark, watch.Error}

// SplitFrame takes apart one event of a watch: {"type":"ADDED","object":{...}}. The object shares memory with line. As API servers
// write frames, type first, it does not look into the object: whether that is well-formed is for those to tell who read it.
func SplitFrame(line []byte) (eventType string, object []byte, err error) {
	if rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`)); ok {
		for _, t := range eventTypes {
			object, ok := bytes.CutPrefix(rest, []byte(t))
			if !ok {
				continue
			}
			if object, ok = bytes.CutPrefix(object, []byte(`","object":`)); !ok {
				break
			}
			if object, ok = bytes.CutSuffix(bytes.TrimRight(object, "\r\n"), []byte("}")); ok && len(object) > 0 {
				return string(t), object, nil
			}
			break
		}
	}
	s := scanner{data: line}
	if err := s.frame(&eventType, &object); err != nil {
		return "", nil, err
	}
	return eventType, object, nil
}

// frame reads a frame that is written in another way.
func (s *scanner) frame(eventType *string, object *[]byte) *Error {
	if err := s.open('{', "a frame, which is an object"); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, more, err := s.key(first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch string(key) {
		case "type":
			var text []byte
			text, err = s.string()
			*eventType = string(text)
		case "object":
			s.peek()
			start := s.pos
			err = s.skip(0)
			*object = s.data[start:s.pos]
		default:
			err = s.skip(1)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case *eventType == "":
		return s.fail(0, trace.ErrMissingKey, "the frame has no type")
	case len(*object) == 0:
		return s.fail(0, trace.ErrMissingKey, "the frame has no object")
	}
	return s.end()
}

// Bookmark is what the object of a BOOKMARK frame says.
type Bookmark struct {
	ResourceVersion string
	// InitialEventsEnd says that everything that existed at the start of a streaming list has been sent.
	InitialEventsEnd bool
}

// ParseBookmark reads the object of a BOOKMARK frame.
func ParseBookmark(object []byte) (Bookmark, error) {
	var meta metav1.PartialObjectMetadata
	if err := json.Unmarshal(object, &meta); err != nil {
		return Bookmark{}, &Error{Msg: "want a bookmark's object: " + err.Error(), Err: ErrSyntax}
	}
	if meta.ResourceVersion == "" {
		return Bookmark{}, &Error{Msg: "the bookmark has no resourceVersion", Err: trace.ErrMissingKey}
	}
	return Bookmark{
		ResourceVersion:  meta.ResourceVersion,
		InitialEventsEnd: meta.Annotations[metav1.InitialEventsAnnotationKey] == "true",
	}, nil
}

// ParseStatus reads a Status, as it is in an ERROR frame or in the body of a response that is an error. Anything else is an error.
// The functions of apierrors tell what it means when it is put into an apierrors.StatusError.
func ParseStatus(object []byte) (*metav1.Status, error) {
	var status metav1.Status
	if err := json.Unmarshal(object, &status); err != nil {
		return nil, &Error{Msg: "want a Status: " + err.Error(), Err: ErrSyntax}
	}
	if status.Kind != "Status" || status.APIVersion != "v1" {
		return nil, &Error{Msg: "want a Status, got something else", Err: trace.ErrType}
	}
	return &status, nil
}
