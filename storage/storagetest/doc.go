// Package storagetest helps to test storage: a suite that every kind of storage must pass ([Run]),
// real servers to run it against ([StartS3], [StartGoogle], [StartAzure], and [Files]), and a
// [Proxy] that breaks connections.
//
// The servers are third-party programs, which make test-servers builds into bin/. If a program is
// not found, the test is skipped; if SIMKUBE_REQUIRE lists servers, it fails.
package storagetest
