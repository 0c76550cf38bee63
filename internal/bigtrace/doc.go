// Package bigtrace generates large traces for benchmarks. By default [Write] creates a million
// events of about 1 KB: Deployments, Jobs, CronJobs, ConfigMaps and bare pods, with the Secrets and
// ServiceAccounts that they use. They are created, changed and deleted; their pods have lifecycles.
// A few percent of the pods refer to objects that do not exist.
//
// The same Options result in the same bytes. The trace is canonical, and its index is correct.
package bigtrace
