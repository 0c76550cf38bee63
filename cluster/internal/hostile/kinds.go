package hostile

// kind is a kind of objects in traces, with the content of its manifests.
type kind struct {
	apiVersion, kind string
	namespaced       bool
	fill             func(c chooser, manifest map[string]any)
}

// kinds returns kinds that affect more than a namespace, some that do not, and invalid ones.
var kinds = []kind{
	{"v1", "ConfigMap", true, func(_ chooser, m map[string]any) { m["data"] = map[string]any{"a": "hostile"} }},
	{"v1", "ConfigMap", true, nil},
	{"v1", "Secret", true, nil},
	{"v1", "ServiceAccount", true, nil},
	{"v1", "Pod", true, func(c chooser, m map[string]any) { m["spec"] = podSpec(c) }},
	{"v1", "Pod", true, func(c chooser, m map[string]any) { m["spec"] = podSpec(c) }},
	{"apps/v1", "Deployment", true, deployment},
	{"apps/v1", "Deployment", true, deployment},
	{"apps/v1", "DaemonSet", true, deployment},
	{"v1", "Namespace", false, func(_ chooser, m map[string]any) {
		m["spec"] = map[string]any{"finalizers": []any{"example.com/never"}}
	}},
	{"v1", "Node", false, node},
	{"v1", "PersistentVolume", false, volume},
	{"v1", "PersistentVolumeClaim", true, claim},
	{"v1", "Service", true, service},
	{"networking.k8s.io/v1", "Ingress", true, ingress},
	{"networking.k8s.io/v1", "IngressClass", false, func(_ chooser, m map[string]any) { m["spec"] = map[string]any{"controller": "k8s.io/ingress-nginx"} }},
	{"scheduling.k8s.io/v1", "PriorityClass", false, func(c chooser, m map[string]any) {
		m["value"], m["globalDefault"] = int64(c.IntN(1000000)), c.one(2)
	}},
	{"storage.k8s.io/v1", "StorageClass", false, func(c chooser, m map[string]any) {
		m["provisioner"], m["reclaimPolicy"] = "example.com/none", pick(c, []string{"Retain", "Delete"})
	}},
	{"node.k8s.io/v1", "RuntimeClass", false, func(_ chooser, m map[string]any) { m["handler"] = "runsc" }},
	{"rbac.authorization.k8s.io/v1", "ClusterRole", false, func(_ chooser, m map[string]any) {
		m["rules"] = []any{map[string]any{"apiGroups": []any{"*"}, "resources": []any{"*"}, "verbs": []any{"*"}}}
	}},
	{"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", false, binding},
	{"rbac.authorization.k8s.io/v1", "RoleBinding", true, binding},
	{"apiextensions.k8s.io/v1", "CustomResourceDefinition", false, definition},
	{"apiregistration.k8s.io/v1", "APIService", false, func(_ chooser, m map[string]any) {
		m["spec"] = map[string]any{
			"group": "example.com", "version": "v1", "groupPriorityMinimum": int64(1), "versionPriority": int64(1),
			"service": map[string]any{"name": "shop", "namespace": Namespace}, "insecureSkipTLSVerify": true,
		}
	}},
	{"flowcontrol.apiserver.k8s.io/v1", "FlowSchema", false, nil},
	{"coordination.k8s.io/v1", "Lease", true, nil},
	{"policy/v1", "PodDisruptionBudget", true, func(_ chooser, m map[string]any) {
		m["spec"] = map[string]any{"minAvailable": int64(1000), "selector": map[string]any{}}
	}},
	{"v1", "ResourceQuota", true, func(_ chooser, m map[string]any) { m["spec"] = map[string]any{"hard": map[string]any{"pods": "0"}} }},
	{"simkube.io/v1", "SimulationRoot", false, nil},
	{"simkube.io/v1", "Simulation", false, nil},
	{"v1", "Binding", true, nil},
	{"policy/v1", "Eviction", true, nil},
	{"v1", "Node/../../pods", false, nil},
	{"../../v1", "Pod", true, nil},
	{"example.com/v1", "Widget", true, nil},
	{"example.com/v1", "Widget", false, nil},
}

func podSpec(c chooser) map[string]any {
	term := pick(c, []map[string]any{
		{"topologyKey": "topology.kubernetes.io/zone", "namespaceSelector": map[string]any{}, "labelSelector": map[string]any{}},
		{"topologyKey": "topology.kubernetes.io/zone", "namespaces": []any{Namespace}, "labelSelector": map[string]any{}},
	})
	return map[string]any{
		"nodeName":           pick(c, []string{"", "real-0", "../real-0"}),
		"serviceAccountName": pick(c, []string{"default", "../../prod/serviceaccounts/default"}),
		"priorityClassName":  pick(c, []string{"", "high", "system-node-critical"}),
		"nodeSelector":       map[string]any{"kubernetes.io/hostname": pick(c, []string{"real-0", "virtual-0"})},
		"tolerations":        []any{map[string]any{"operator": "Exists"}},
		"affinity":           map[string]any{"podAntiAffinity": map[string]any{"requiredDuringSchedulingIgnoredDuringExecution": []any{term}}},
		"hostNetwork":        c.one(3),
		"containers": []any{map[string]any{
			"name": "main", "image": "x", "ports": []any{map[string]any{"containerPort": int64(80), "hostPort": int64(80)}},
		}},
		"volumes": []any{map[string]any{"name": "v", "hostPath": map[string]any{"path": "/"}}},
	}
}

func deployment(c chooser, m map[string]any) {
	spec := podSpec(c)
	if c.one(2) {
		delete(spec, "nodeSelector")
	}
	m["spec"] = map[string]any{
		"replicas": int64(c.IntN(3)),
		"selector": map[string]any{"matchLabels": map[string]any{"app": "shop"}},
		"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "shop"}}, "spec": spec},
	}
	if m["kind"] == "DaemonSet" {
		delete(m["spec"].(map[string]any), "replicas")
	}
}

func node(c chooser, m map[string]any) {
	metadata := m["metadata"].(map[string]any)
	if c.one(2) {
		metadata["annotations"] = map[string]any{"kwok.x-k8s.io/node": "fake"}
	}
	m["spec"] = map[string]any{"unschedulable": c.one(2), "podCIDR": "10.0.0.0/24"}
}

func volume(c chooser, m map[string]any) {
	spec := map[string]any{
		"accessModes": []any{"ReadWriteOnce"}, "capacity": map[string]any{"storage": "10Gi"},
		"storageClassName": pick(c, []string{"", "fast"}), "persistentVolumeReclaimPolicy": pick(c, []string{"Delete", "Retain", "Recycle"}),
	}
	if c.one(2) {
		spec["hostPath"] = map[string]any{"path": "/etc"}
	} else {
		spec["csi"] = map[string]any{"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"}
	}
	switch c.IntN(4) {
	case 0:
		spec["claimRef"] = map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": Namespace, "name": "data"}
	case 1:
		spec["claimRef"] = map[string]any{"namespace": "x/../../prod", "name": "data"}
	case 2:
		spec["claimRef"] = map[string]any{"name": "data"}
	}
	m["spec"] = spec
}

func claim(c chooser, m map[string]any) {
	m["spec"] = map[string]any{
		"accessModes": []any{"ReadWriteOnce"}, "resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
		"storageClassName": pick(c, []string{"", "fast"}), "volumeName": pick(c, []string{"", "disk", "../../nodes/real-0"}),
	}
}

func service(c chooser, m map[string]any) {
	m["spec"] = map[string]any{
		"type":        pick(c, []string{"LoadBalancer", "NodePort", "ClusterIP"}),
		"externalIPs": []any{"192.0.2.1"}, "clusterIP": pick(c, []string{"", "10.96.0.1"}),
		"ports": []any{map[string]any{"port": int64(80), "nodePort": int64(30000)}}, "selector": map[string]any{"app": "shop"},
	}
}

func ingress(c chooser, m map[string]any) {
	m["spec"] = map[string]any{
		"rules":          []any{map[string]any{"host": "shop.example.com"}},
		"defaultBackend": map[string]any{"service": map[string]any{"name": "shop", "port": map[string]any{"number": int64(80)}}},
	}
}

func binding(_ chooser, m map[string]any) {
	m["roleRef"] = map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
	m["subjects"] = []any{map[string]any{"kind": "ServiceAccount", "name": "default", "namespace": Namespace}}
}

func definition(c chooser, m map[string]any) {
	m["metadata"].(map[string]any)["name"] = pick(c, []string{"widgets.example.com", "simulationroots.simkube.io", "../../x"})
	m["spec"] = map[string]any{
		"group": "example.com", "scope": "Namespaced", "names": map[string]any{"kind": "Widget", "plural": "widgets"},
		"versions": []any{map[string]any{
			"name": "v1", "served": true, "storage": true,
			"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
		}},
	}
}
