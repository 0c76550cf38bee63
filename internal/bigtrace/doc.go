// Package bigtrace makes up large traces, for measuring what works on traces. By default [Write] makes a million
// events of about 1 KB: Deployments, Jobs, CronJobs, ConfigMaps and bare pods, with the Secrets and ServiceAccounts they
// use, that come, change and go, and the lifecycles of their pods. A few pods in a hundred refer to what does not exist.
//
// The same Options give the same bytes. The trace is canonical, and its index is right.
package bigtrace
