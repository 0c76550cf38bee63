package allowlist

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// wildcard is the pattern that allows wildcard.
const wildcard = "*"

// Images is a list of container images that may be run. The zero value allows none.
type Images struct{ patterns []pattern }

// pattern is one entry of the list.
type pattern struct {
	text string
	all  bool
	// prefix is the common beginning of repositories, with a slash at its end. It is empty if the
	// pattern is a single repository.
	prefix string
	image  image
}

// ParseImages parses a list of patterns. A pattern is one of
//
// - a repository, such as simkube/sk-driver or registry.example.com:5000/team/sk-driver: all of its
// tags and digests;
// - a repository with a tag, a digest, or both: only that image;
// - a prefix of repositories, such as registry.example.com/team/*: every repository below it;
// - an asterisk: every image.
//
// A repository without a registry is one of docker.io, as for container runtimes.
func ParseImages(patterns []string) (Images, error) {
	var list Images
	var wrong []error
	for _, text := range patterns {
		p, err := parsePattern(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%q: %w", text, err))
		}
		list.patterns = append(list.patterns, p)
	}
	return list, errors.Join(wrong...)
}

func parsePattern(text string) (pattern, error) {
	p := pattern{text: text, all: text == wildcard}
	if p.all {
		return p, nil
	}
	if prefix, cut := strings.CutSuffix(text, "/"+wildcard); cut {
		repository, err := parsePrefix(prefix)
		p.prefix = repository + "/"
		return p, err
	}
	if strings.Contains(text, wildcard) {
		return p, errors.New("must have its * alone, or after the last /")
	}
	var err error
	p.image, err = parseImage(text)
	return p, err
}

// Allows reports whether an image may be run. It returns false for an invalid reference.
func (l Images) Allows(name string) bool {
	found, err := parseImage(name)
	return slices.ContainsFunc(l.patterns, func(p pattern) bool { return p.all || err == nil && p.matches(found) })
}

// matches reports whether a pattern other than * matches an image. Container runtimes ignore the
// tag of an image with a digest, so a pattern with a tag and no digest does not match it.
func (p pattern) matches(found image) bool {
	switch {
	case p.prefix != "":
		return strings.HasPrefix(found.repository, p.prefix)
	case p.image.repository != found.repository:
		return false
	case p.image.digest != "":
		return p.image.digest == found.digest && (p.image.tag == "" || p.image.tag == found.tag)
	case p.image.tag != "":
		return p.image.tag == found.tag && found.digest == ""
	}
	return true
}

// String returns the patterns as they were written.
func (l Images) String() string {
	texts := make([]string, 0, len(l.patterns))
	for _, p := range l.patterns {
		texts = append(texts, p.text)
	}
	return strings.Join(texts, ", ")
}
