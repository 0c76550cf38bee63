package manifest

// Redaction says what shall not be recorded.
type Redaction struct {
	// Env: the values of environment variables of containers.
	Env bool
	// Secrets: the data of v1.Secret.
	Secrets bool
	// ConfigMaps: the data of v1.ConfigMap.
	ConfigMaps bool
	// Annotations: the values of the annotations with these keys, of objects and of pod templates.
	Annotations []string
}

// ParseRedaction reads rules as they are given on the command line: "env", "secrets", "configmaps", "annotations=KEY". The error says
// what is accepted.
func ParseRedaction(rules []string) (Redaction, error) { panic("to do") }

// RedactionKeySize is how many bytes a Redactor's key has.
const RedactionKeySize = 32

// Redactor replaces values by tokens, "redacted-" and 16 hexadecimal digits of the value's HMAC-SHA256. The same value becomes the same token
// everywhere, so that changes can still be told, and a pod still has the hash of its template; who lacks the key cannot
// find a value by trying. Empty values stay empty. It is immutable.
type Redactor struct{}

// NewRedactor makes a redactor. The key is kept by the caller: with another one, every value gets another token.
func NewRedactor(rules Redaction, key [RedactionKeySize]byte) *Redactor { panic("to do") }
