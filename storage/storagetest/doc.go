// Package storagetest has what tests of storage need: a suite that every kind of storage has to pass ([Run]), real
// servers to run it against ([StartS3], [StartGoogle], [StartAzure], and [Files]), and a [Proxy] that breaks connections.
//
// The servers are programs of others, which make test-servers builds into bin/. A test that finds none is skipped;
// if SIMKUBE_REQUIRE lists servers it fails.
package storagetest
