package allowlist

import (
	"errors"
	"regexp"
	"strings"
)

// The default registry, its alias, and the prefix of repositories that have one part only.
const (
	defaultRegistry = "docker.io"
	indexRegistry   = "index.docker.io"
	officialImages  = "library/"
	maxRepository   = 255
)

// image is a parsed image reference. References to the same repository have the same field
// repository.
type image struct{ repository, tag, digest string }

// parseImage parses [registry[:port]/]repository[:tag][@digest]. It follows the grammar of
// container runtimes, and is stricter where they differ.
func parseImage(text string) (image, error) {
	name, digest, hasDigest := strings.Cut(text, "@")
	if hasDigest && !match(`[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,128}`, digest) {
		return image{}, errors.New("must have a digest such as sha256:... after its @")
	}
	tag := ""
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		name, tag = name[:at], name[at+1:]
		if !match(`[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`, tag) {
			return image{}, errors.New("must have a tag of letters, digits, _ . and -")
		}
	}
	registry, path := split(name)
	if registry == defaultRegistry && !strings.Contains(path, "/") {
		path = officialImages + path
	}
	repository, err := join(registry, path)
	return image{repository, tag, digest}, err
}

// parsePrefix parses a registry, or a registry and the prefix of its repositories.
func parsePrefix(text string) (string, error) {
	registry, path := split(text + "/.")
	if path == "." {
		if !match(registryPattern, registry) {
			return "", errRegistry
		}
		return registry, nil
	}
	return join(registry, strings.TrimSuffix(path, "/."))
}

const registryPattern = `(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?`

var (
	errRegistry   = errors.New("must have a registry such as registry.example.com:5000 before its first /")
	errRepository = errors.New("must be a repository of lowercase letters and digits, with . _ - between them and / between its parts")
)

func join(registry, path string) (string, error) {
	switch {
	case !match(registryPattern, registry):
		return "", errRegistry
	case !match(`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*`, path), len(registry)+1+len(path) > maxRepository:
		return "", errRepository
	}
	return registry + "/" + path, nil
}

// split splits a name into its registry and path. The part before the first slash is a registry if
// it cannot be part of a repository, or is localhost. Names of registries are case-insensitive.
func split(name string) (registry, path string) {
	first, rest, slash := strings.Cut(name, "/")
	if !slash || first != "localhost" && !strings.ContainsAny(first, ".:") && strings.ToLower(first) == first {
		return defaultRegistry, name
	}
	if registry = strings.ToLower(first); registry == indexRegistry {
		registry = defaultRegistry
	}
	return registry, rest
}

func match(pattern, text string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(text)
}
