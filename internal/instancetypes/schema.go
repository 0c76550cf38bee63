package instancetypes

import _ "embed"

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema of the format of files, in the draft 2020-12. It accepts what
// Parse accepts, except for what a schema cannot express, such as that names are unique.
func Schema() []byte { return schema }
