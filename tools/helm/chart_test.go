package chart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

// For each overlay of config/sim there are values that result in the same objects.
func TestChart_LikeKustomize(t *testing.T) {
	const same = "namespace: {create: true}\ncrds: {keep: false}\n"
	for name, test := range map[string]struct{ dir, values string }{
		"cluster": {simDir + "/overlays/cluster", same},
		"no-kwok": {simDir + "/overlays/no-kwok", same + "kwok: {enabled: false}"},
		"with everything": {
			withEverything(t),
			"driver: {maySeeSecrets: true}\ncrds: {keep: false}\nnamespace: {create: true, enforce: restricted}\nmetrics: {enabled: true}\ncertManager: {enabled: true}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(kustomized(t, test.dir), rendered(t, test.values)); diff != "" {
				t.Errorf("objects (-kustomize +chart):\n%s", diff)
			}
		})
	}
}

// Further namespaces get the objects of the overlay driver-namespace.
func TestChart_DriverNamespaces(t *testing.T) {
	got := rendered(t, "driver: {namespaces: [load-tests], maySeeSecrets: true}")
	for id, want := range kustomized(t, simDir+"/overlays/driver-namespace") {
		if strings.Contains(id, " load-tests/") {
			if diff := cmp.Diff(want, got[id]); diff != "" {
				t.Errorf("%s (-kustomize +chart):\n%s", id, diff)
			}
		}
	}
	for _, binding := range []string{
		"ClusterRoleBinding <nil>/sk-driver", "ClusterRoleBinding <nil>/sk-driver-secrets",
		"RoleBinding simkube/sk-driver-lease", "RoleBinding default/sk-simulation-events",
	} {
		found := false
		subjects, _ := got[binding]["subjects"].([]any)
		for _, subject := range subjects {
			s := subject.(object)
			found = found || s["name"] == "sk-driver" && s["namespace"] == "load-tests"
		}
		if !found {
			t.Errorf("%s is not for the account in load-tests: %v", binding, subjects)
		}
	}
}

// Single values have their documented effects.
func TestChart_Values(t *testing.T) {
	for name, test := range map[string]struct {
		values, object string
		absent         bool
		want           string
	}{
		"image":             {"ctrl: {image: {repository: r.example/sk-ctrl, tag: v1}}", "Deployment simkube/sk-ctrl", false, "image:r.example/sk-ctrl:v1 "},
		"digest":            {"ctrl: {image: {digest: 'sha256:" + strings.Repeat("a", 64) + "'}}", "Deployment simkube/sk-ctrl", false, "image:simkube/sk-ctrl@sha256:aaaa"},
		"pull policy":       {"kwok: {image: {pullPolicy: Always}}", "Deployment simkube/sk-kwok", false, "imagePullPolicy:Always"},
		"pull secret":       {"imagePullSecrets: [{name: registry}]", "ServiceAccount simkube/sk-driver", false, "imagePullSecrets:[map[name:registry]]"},
		"workload identity": {"driver: {serviceAccount: {annotations: {a/b: c}}}", "ServiceAccount simkube/sk-driver", false, "annotations:map[a/b:c]"},
		"tolerations":       {"ctrl: {tolerations: [{operator: Exists}]}", "Deployment simkube/sk-ctrl", false, "tolerations:[map[operator:Exists]]"},
		"priority":          {"kwok: {priorityClassName: high}", "Deployment simkube/sk-kwok", false, "priorityClassName:high"},
		"pod annotations":   {"ctrl: {podAnnotations: {a/b: c}}", "Deployment simkube/sk-ctrl", false, "a/b:c"},
		"verbosity":         {"ctrl: {verbosity: debug, replicas: 2}", "Deployment simkube/sk-ctrl", false, "--verbosity=debug"},
		"commands":          {"ctrl: {hookCommands: true}", "Deployment simkube/sk-ctrl", false, "--hook-commands=true"},
		"no commands":       {"", "Deployment simkube/sk-ctrl", false, "--hook-commands=false"},
		"driver beside ctrl": {
			"ctrl: {image: {repository: 'r.example:5000/team/sk-ctrl'}}", "Deployment simkube/sk-ctrl", false,
			"--allowed-driver-images=r.example:5000/team/sk-driver --allowed-trace-paths=/data]",
		},
		"allowed images": {
			"ctrl: {allowedDriverImages: [r.example/a, 'r.example/b/*']}", "Deployment simkube/sk-ctrl", false, "--allowed-driver-images=r.example/a,r.example/b/* ",
		},
		"allowed paths":    {"ctrl: {allowedTracePaths: [/data, /srv]}", "Deployment simkube/sk-ctrl", false, "--allowed-trace-paths=/data,/srv]"},
		"no paths":         {"ctrl: {allowedTracePaths: []}", "Deployment simkube/sk-ctrl", false, "--allowed-trace-paths=]"},
		"definitions stay": {"", "CustomResourceDefinition <nil>/simulations.simkube.io", false, "helm.sh/resource-policy:keep"},
		"no definitions":   {"crds: {install: false}", "CustomResourceDefinition <nil>/simulations.simkube.io", true, ""},
		"no namespace":     {"", "Namespace <nil>/simkube", true, ""},
		"no secrets":       {"", "ClusterRole <nil>/sk-driver-secrets", true, ""},
		"secrets":          {"driver: {maySeeSecrets: true}", "ClusterRole <nil>/sk-driver-secrets", false, "resources:[secrets] verbs:[get list watch create"},
		"no nodes":         {"driver: {mayChangeNodes: false}", "ClusterRole <nil>/sk-driver-nodes", true, ""},
		"more kinds": {
			"driver: {extraRules: [{apiGroups: [batch.volcano.sh], resources: [jobs], verbs: [get]}]}",
			"ClusterRole <nil>/sk-driver-extra", false, "simkube.io/aggregate-to-driver:true",
		},
		"no examples":        {"metrics: {enabled: true, serviceMonitors: false}", "ServiceMonitor monitoring-hd/kube-apiserver", true, ""},
		"other monitoring":   {"metrics: {enabled: true, namespace: m, prometheus: {namespace: p, serviceAccount: a}}", "RoleBinding simkube/sk-metrics", false, "name:a namespace:p"},
		"an issuer of yours": {"certManager: {enabled: true, createIssuer: false}", "ClusterIssuer <nil>/simkube", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := rendered(t, test.values)[test.object]
			if (found == nil) != test.absent {
				t.Fatalf("%s: got %v, want absent: %v", test.object, found, test.absent)
			}
			if text := printed(found); !strings.Contains(text, test.want) {
				t.Errorf("%s lacks %q: %s", test.object, test.want, text)
			}
		})
	}
}

// Invalid values are rejected with their position.
func TestChart_Schema(t *testing.T) {
	for values, want := range map[string]string{
		"kwok: {enable: false}":                    "enable",
		"ctrl: {replicas: two}":                    "replicas",
		"ctrl: {verbosity: loud}":                  "verbosity",
		"ctrl: {hookCommands: perhaps}":            "hookCommands",
		"ctrl: {allowedDriverImages: 'a,b'}":       "allowedDriverImages",
		"ctrl: {allowedDriverImages: ['a,b']}":     "allowedDriverImages",
		"ctrl: {allowedTracePaths: [data]}":        "allowedTracePaths",
		"ctrl: {image: simkube/sk-ctrl:v1}":        "image",
		"ctrl: {image: {digest: abc}}":             "digest",
		"driver: {namespaces: [Load_Tests]}":       "namespaces",
		"driver: {extraRules: [{apiGroups: [x]}]}": "extraRules",
		"namespace: {enforce: strict}":             "enforce",
		"images: {}":                               "images",
	} {
		if _, err := render(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error about %s", values, err, want)
		}
	}
}

// helm lint --strict passes.
func TestChart_Lint(t *testing.T) {
	for _, message := range lint.AllWithKubeVersion(chartDir, nil, "simkube", nil).Messages {
		if message.Severity > support.InfoSev {
			t.Errorf("%v", message)
		}
	}
}
