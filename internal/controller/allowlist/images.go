package allowlist

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// everything is the pattern that allows all.
const everything = "*"

// Images are the container images that may be run. The zero value allows none.
type Images struct{ patterns []pattern }

// pattern is one entry of the list.
type pattern struct {
	text string
	all  bool
	// below is the beginning of the repositories that are meant, with the slash at its end; empty
	// if it is one repository.
	below string
	image image
}

// ParseImages reads a list of patterns. A pattern is one of
//
//   - a repository, such as simkube/sk-driver or registry.example.com:5000/team/sk-driver: every
//     tag and digest of it;
//   - a repository with a tag, a digest, or both: that alone;
//   - the beginning of repositories, such as registry.example.com/team/*: every repository below
//     it;
//   - an asterisk: every image.
//
// A repository without a registry is one of docker.io, as it is for container runtimes.
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
	p := pattern{text: text, all: text == everything}
	if p.all {
		return p, nil
	}
	if beginning, cut := strings.CutSuffix(text, "/"+everything); cut {
		repository, err := parseBeginning(beginning)
		p.below = repository + "/"
		return p, err
	}
	if strings.Contains(text, everything) {
		return p, errors.New("must have its * alone, or after the last /")
	}
	var err error
	p.image, err = parseImage(text)
	return p, err
}

// Allows reports whether an image may be run. One that is no reference of an image may not.
func (l Images) Allows(name string) bool {
	found, err := parseImage(name)
	return slices.ContainsFunc(l.patterns, func(p pattern) bool { return p.all || err == nil && p.matches(found) })
}

// matches reports whether a pattern other than * means an image. A container runtime looks at the
// digest alone where there is one, so a pattern with a tag, and without a digest, means no image
// that has a digest.
func (p pattern) matches(found image) bool {
	switch {
	case p.below != "":
		return strings.HasPrefix(found.repository, p.below)
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
