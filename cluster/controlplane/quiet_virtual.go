//go:build faketime

package controlplane

import _ "unsafe" // for go:linkname

// metricsProviderSet is a sync.Once of package workqueue in the state after its function was
// called. During initialization Kubernetes sets a provider of metrics for all work queues, after
// which each queue wakes up twice a second to update its metrics. Nothing reads them, and in
// virtual time this is most of what an idle control plane does. The provider can be set only once;
// with this variable, not at all.
//
//go:linkname metricsProviderSet k8s.io/client-go/util/workqueue.setGlobalMetricsProviderOnce
var metricsProviderSet = struct{ done, state, sema uint32 }{done: 1}
