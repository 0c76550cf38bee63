package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Redaction selects what must not be recorded.
type Redaction struct {
	// Env redacts the values of environment variables of containers.
	Env bool
	// Secrets redacts the data of v1.Secret.
	Secrets bool
	// ConfigMaps redacts the data of v1.ConfigMap.
	ConfigMaps bool
	// Annotations redacts the values of the annotations with these keys, of objects and of pod
	// templates.
	Annotations []string
}

// ParseRedaction parses rules in the form of the command line: "env", "secrets", "configmaps",
// "annotations=KEY".
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
			errs = append(errs, fmt.Errorf("invalid rule %q: must be env, secrets, configmaps or annotations=KEY with one annotation's key", rule))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Redaction{}, err
	}
	return r, nil
}

// Covered lists what is redacted, for users.
func (r Redaction) Covered() []string {
	covered, _ := r.sides()
	return covered
}

// Uncovered lists what is recorded in plain text, for users.
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

// RedactionKeySize is the length of a Redactor's key in bytes.
const RedactionKeySize = 32

// Redactor replaces values by tokens, "redacted-" and 16 hexadecimal digits of the value's
// HMAC-SHA256. Equal values get equal tokens, so that changes can be detected and a pod has the
// hash of its template; without the key, a value cannot be found by trying. Empty values stay
// empty. A Redactor is immutable. A nil Redactor redacts nothing.
type Redactor struct {
	rules Redaction
	key   [RedactionKeySize]byte
	// pod is the plan for pods.
	pod *plan
}

// NewRedactor returns a redactor. The caller must store the key: with another key, every value gets
// another token.
func NewRedactor(rules Redaction, key [RedactionKeySize]byte) *Redactor {
	rules.Annotations = slices.Clone(rules.Annotations)
	r := &Redactor{rules: rules, key: key, pod: &plan{}}
	r.addToPods([]*plan{r.pod})
	return r
}

// addTo adds redaction to the plan for the objects of a kind. paths are those of their pod
// templates.
func (r *Redactor) addTo(p *plan, gvk schema.GroupVersionKind, paths []string) error {
	if r == nil {
		return nil
	}
	for _, path := range paths {
		found, err := p.places(path)
		if err != nil {
			return err
		}
		r.addToPods(found) // before the next path, which may clone this plan
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

// addToPods adds redaction to the plans for pods and pod templates.
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
