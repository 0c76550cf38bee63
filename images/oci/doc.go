// Package oci owns SimKube's images: it makes them of static programs, without Docker and without a base image, as OCI layouts
// with one image for each platform, and checks what it or somebody else made.
//
// An image is the same to the byte whenever and wherever it is made of the same programs: nothing in it says when or where.
package oci

import v1 "github.com/google/go-containerregistry/pkg/v1"

// What every image has.
const (
	// user is neither root nor anybody on a node.
	user     = 65532
	userText = "65532:65532"
	// path is for the commands that hooks run in an image built upon this one.
	path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// Platforms are those that there are images for.
func Platforms() []v1.Platform {
	return []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}
}
