package v1

import _ "embed" // for the document below

//go:embed simkube.yml
var openAPI string

// OpenAPI returns the description of a tracer's API: an OpenAPI 3.1 document, as YAML.
func OpenAPI() string { return openAPI }
