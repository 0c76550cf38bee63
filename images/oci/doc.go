// Package oci builds SimKube's images from static programs, without Docker and without a base
// image, as OCI layouts with one image for each platform. It also verifies layouts.
//
// Images are reproducible: the same programs result in the same bytes, because nothing in an image
// depends on when or where it was built.
package oci

import v1 "github.com/google/go-containerregistry/pkg/v1"

// The contents of every image.
const (
	// user is not root, and not a user of nodes.
	user     = 65532
	userText = "65532:65532"
	// path is for commands of hooks that run in an image based on this one.
	path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// Platforms returns the platforms of images.
func Platforms() []v1.Platform {
	return []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}
}
