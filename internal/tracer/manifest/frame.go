package manifest

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// SplitFrame takes apart one event of a watch: {"type":"ADDED","object":{...}}. The object shares memory with line. As API servers
// write frames, type first, it does not look into the object: whether that is well-formed is for those to tell who read it.
func SplitFrame(line []byte) (eventType string, object []byte, err error) { panic("to do") }

// Bookmark is what the object of a BOOKMARK frame says.
type Bookmark struct {
	ResourceVersion string
	// InitialEventsEnd says that everything that existed at the start of a streaming list has been sent.
	InitialEventsEnd bool
}

// ParseBookmark reads the object of a BOOKMARK frame.
func ParseBookmark(json []byte) (Bookmark, error) { panic("to do") }

// ParseStatus reads a Status, as it is in an ERROR frame or in the body of a response that is an error. Anything else is an error.
// The functions of apierrors tell what it means when it is put into an apierrors.StatusError.
func ParseStatus(json []byte) (*metav1.Status, error) { panic("to do") }
