package manifest

import (
	"bytes"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"

	"simkube.io/simkube/trace"
)

// eventTypes are the types of frames.
var eventTypes = [...]watch.EventType{watch.Added, watch.Modified, watch.Deleted, watch.Bookmark, watch.Error}

// SplitFrame splits an event of a watch, {"type":"ADDED","object":{...}}. The object shares memory
// with line. If the frame has the form that API servers write, type first, the object is not parsed
// and may be malformed.
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

// frame reads a frame of any form.
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

// Bookmark is the object of a BOOKMARK frame.
type Bookmark struct {
	ResourceVersion string
	// InitialEventsEnd is whether all objects that existed at the start of a streamed list have been
	// sent.
	InitialEventsEnd bool
}

// ParseBookmark parses the object of a BOOKMARK frame.
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

// ParseStatus parses a Status, which is the object of an ERROR frame or the body of an error
// response. It is an error if the object is not a Status. The functions of package apierrors can
// classify the result if it is wrapped in an apierrors.StatusError.
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
