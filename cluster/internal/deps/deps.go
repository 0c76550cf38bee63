package deps

import (
	_ "go.etcd.io/etcd/server/v3/embed"
	_ "k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	_ "k8s.io/kubernetes/cmd/kube-scheduler/app"
	_ "k8s.io/kubernetes/pkg/apis/core/v1"
	_ "sigs.k8s.io/kwok/pkg/kwok/controllers"
)
