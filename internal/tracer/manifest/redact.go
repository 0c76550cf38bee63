package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

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
func ParseRedaction(rules []string) (Redaction, error) {
	var r Redaction
	var errs []error
	for _, rule := range rules {
		key, isAnnotation := strings.CutPrefix(rule, "annotations=")
		switch {
		case rule == "env":
			r.Env = true
		case rule == "secrets":
			r.Secrets = true
		case rule == "configmaps":
			r.ConfigMaps = true
		case isAnnotation && key != "":
			if !slices.Contains(r.Annotations, key) {
				r.Annotations = append(r.Annotations, key)
			}
		default:
			errs = append(errs, fmt.Errorf("redact %q: want env, secrets, configmaps or annotations=KEY, with one annotation's key", rule))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Redaction{}, err
	}
	return r, nil
}

// Covered names what is redacted, for people.
func (r Redaction) Covered() []string {
	covered, _ := r.sides()
	return covered
}

// Uncovered names what is recorded in clear, for people.
func (r Redaction) Uncovered() []string {
	_, uncovered := r.sides()
	return append(uncovered, "commands and arguments of containers", "labels", "fields of custom resources", "all other fields")
}

func (r Redaction) sides() (covered, uncovered []string) {
	add := func(is bool, what string) {
		if is {
			covered = append(covered, what)
		} else {
			uncovered = append(uncovered, what)
		}
	}
	add(r.Secrets, "values of Secrets")
	add(r.Env, "values of environment variables")
	add(r.ConfigMaps, "values of ConfigMaps")
	if len(r.Annotations) == 0 {
		add(false, "annotations")
	} else {
		add(true, "the annotations "+strings.Join(r.Annotations, " and "))
		add(false, "other annotations")
	}
	return covered, uncovered
}

// RedactionKeySize is how many bytes a Redactor's key has.
const RedactionKeySize = 32

// Redactor replaces values by tokens, "redacted-" and 16 hexadecimal digits of the value's HMAC-SHA256. The same value becomes the same
// token everywhere, so that changes can still be told, and a pod still has the hash of its template; who lacks the key cannot find a
// value by trying. Empty values stay empty. It is immutable. A nil Redactor redacts nothing.
type Redactor struct {
	rules Redaction
	key   [RedactionKeySize]byte
	// pod is what is done with a pod.
	pod *plan
}

// NewRedactor makes a redactor. The key is kept by the caller: with another one, every value gets another token.
func NewRedactor(rules Redaction, key [RedactionKeySize]byte) *Redactor {
	rules.Annotations = slices.Clone(rules.Annotations)
	r := &Redactor{rules: rules, key: key, pod: &plan{}}
	r.addToPods([]*plan{r.pod})
	return r
}

// addTo adds to the plan for the objects of a kind what is to be redacted. paths lead to their pod templates.
func (r *Redactor) addTo(p *plan, gvk schema.GroupVersionKind, paths []string) error {
	if r == nil {
		return nil
	}
	for _, path := range paths {
		found, err := p.places(path)
		if err != nil {
			return err
		}
		r.addToPods(found) // before the next path: that may take over what is planned here
	}
	r.addAnnotations(p)
	switch {
	case r.rules.Secrets && gvk == corev1.SchemeGroupVersion.WithKind("Secret"):
		p.under("data").any = &plan{redact: formBase64}
		p.under("stringData").any = &plan{redact: formText}
	case r.rules.ConfigMaps && gvk == corev1.SchemeGroupVersion.WithKind("ConfigMap"):
		p.under("data").any = &plan{redact: formText}
		p.under("binaryData").any = &plan{redact: formBase64}
	}
	return nil
}

// addToPods does so for pods and pod templates.
func (r *Redactor) addToPods(pods []*plan) {
	for _, pod := range pods {
		r.addAnnotations(pod)
		if !r.rules.Env {
			continue
		}
		for _, containers := range []string{"containers", "initContainers", "ephemeralContainers"} {
			pod.under("spec", containers).each().under("env").each().under("value").redact = formText
		}
	}
}

func (r *Redactor) addAnnotations(p *plan) {
	for _, key := range r.rules.Annotations {
		p.under("metadata", "annotations", key).redact = formText
	}
}
