//go:build faketime

package controlplane

import _ "unsafe" // for go:linkname

// metricsProviderSet is a sync.Once of package workqueue, as it is after it was done. Kubernetes sets a provider of
// metrics for all work queues while it is initialised, and each queue then wakes up twice a second to bring its metrics up to
// date, which nobody reads: in virtual time that is most of what an idle control plane does. A provider can be set only
// once; with this, not at all.
//
//go:linkname metricsProviderSet k8s.io/client-go/util/workqueue.setGlobalMetricsProviderOnce
var metricsProviderSet = struct{ done, state, sema uint32 }{done: 1}
