package config_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/config"
	"simkube.io/simkube/internal/controller/allowlist"
)

// Every manifest can be decoded strictly, is in the right namespace, and occurs once.
func TestSim_Objects(t *testing.T) {
	elsewhere := map[string]string{
		"*v1.Role sk-simulation-events": "default", "*v1.RoleBinding sk-simulation-events": "default",
		"*v1.Role sk-kwok": "kube-node-lease", "*v1.RoleBinding sk-kwok": "kube-node-lease",
		"*v1.Role sk-ctrl-prometheus": "monitoring", "*v1.RoleBinding sk-ctrl-prometheus": "monitoring",
	}
	clusterScoped := []string{"*v1.Namespace", "*v1.ClusterRole", "*v1.ClusterRoleBinding", "*v1.CustomResourceDefinition"}
	for _, b := range simBuilds(t) {
		seen := map[string]bool{}
		for _, object := range b.objects {
			kind := fmt.Sprintf("%T", object)
			id := kind + " " + object.GetName()
			if seen[id] {
				t.Errorf("%s: %s stands twice", b.name, id)
			}
			seen[id] = true
			want := "simkube"
			if namespace, is := elsewhere[id]; is {
				want = namespace
			} else if slices.Contains(clusterScoped, kind) {
				want = ""
			}
			if got := object.GetNamespace(); got != want {
				t.Errorf("%s: namespace of %s: got %q, want %q", b.name, id, got, want)
			}
		}
	}
}

// The overlays hold the right objects.
func TestSim_Overlays(t *testing.T) {
	for _, b := range simBuilds(t) {
		want := map[string]bool{"sk-ctrl": true, "sk-kwok": b.name != simNoKWOK}
		for name, wanted := range want {
			if got := slices.ContainsFunc(all[*appsv1.Deployment](b), func(d *appsv1.Deployment) bool { return d.Name == name }); got != wanted {
				t.Errorf("%s has a Deployment %s: %v, want %v", b.name, name, got, wanted)
			}
		}
		crds := map[string]string{}
		for _, crd := range all[*apiextensionsv1.CustomResourceDefinition](b) {
			crds[crd.Name] = crd.Spec.Group
		}
		if diff := cmp.Diff(map[string]string{"simulations.simkube.io": "simkube.io", "simulationroots.simkube.io": "simkube.io"}, crds); diff != "" {
			t.Errorf("%s: definitions (-want +got):\n%s", b.name, diff)
		}
	}
	want := []string{
		"ClusterIssuer/simkube", "PodMonitor/sk-ctrl", "PodMonitor/sk-driver", "ServiceMonitor/kube-apiserver", "ServiceMonitor/kube-state-metrics",
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(simWithEverything(t).others))); diff != "" {
		t.Errorf("objects of operators (-want +got):\n%s", diff)
	}
}

// Pods fulfil the restricted pod security level, have a read-only root, and are not scheduled to
// simulated nodes.
func TestSim_PodsAreRestricted(t *testing.T) {
	for _, b := range simBuilds(t) {
		for _, deployment := range all[*appsv1.Deployment](b) {
			where, pod := b.name+": "+deployment.Name, &deployment.Spec.Template.Spec
			if len(pod.Containers) != 1 || len(pod.InitContainers) != 0 {
				t.Fatalf("%s: got %d containers and %d init containers, want 1 and 0", where, len(pod.Containers), len(pod.InitContainers))
			}
			if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 ||
				s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault ||
				pod.HostNetwork || pod.HostPID || pod.HostIPC {
				t.Errorf("%s: the pod may too much: %+v", where, s)
			}
			container := &pod.Containers[0]
			s := container.SecurityContext
			if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
				s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Privileged != nil && *s.Privileged ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s: the container's security context is too wide: %+v", where, s)
			}
			for _, list := range []corev1.ResourceList{container.Resources.Requests, container.Resources.Limits} {
				if list.Memory().IsZero() || list.Cpu().IsZero() {
					t.Errorf("%s: requests or limits are missing: %v", where, container.Resources)
				}
			}
			if container.ReadinessProbe == nil || container.LivenessProbe == nil {
				t.Errorf("%s: a probe is missing", where)
			}
			terms := pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
			if len(terms) != 1 || len(terms[0].MatchExpressions) != 1 || terms[0].MatchExpressions[0].Key != simkubev1.LabelNodeType ||
				terms[0].MatchExpressions[0].Operator != corev1.NodeSelectorOpNotIn ||
				!slices.Equal(terms[0].MatchExpressions[0].Values, []string{simkubev1.NodeTypeVirtual}) {
				t.Errorf("%s: the pod may be put on a simulated node: %+v", where, terms)
			}
		}
	}
}

// Objects that others refer to exist.
func TestSim_References(t *testing.T) {
	for _, b := range simBuilds(t) {
		for _, deployment := range all[*appsv1.Deployment](b) {
			where, pod := b.name+": "+deployment.Name, &deployment.Spec.Template.Spec
			container := &pod.Containers[0]
			account := named[*corev1.ServiceAccount](t, b, pod.ServiceAccountName)
			if *account.AutomountServiceAccountToken {
				t.Errorf("%s: any pod of the account %s gets its token", where, account.Name)
			}
			if pod.AutomountServiceAccountToken == nil || !*pod.AutomountServiceAccountToken {
				t.Errorf("%s: the pod gets no token", where)
			}
			if len(deployment.Spec.Selector.MatchLabels) == 0 ||
				!labels.SelectorFromSet(deployment.Spec.Selector.MatchLabels).Matches(labels.Set(deployment.Spec.Template.Labels)) {
				t.Errorf("%s selects %v", where, deployment.Spec.Selector)
			}
			ports := map[string]bool{}
			for _, port := range container.Ports {
				ports[port.Name] = true
			}
			for _, probe := range []*corev1.Probe{container.LivenessProbe, container.ReadinessProbe} {
				if !ports[probe.HTTPGet.Port.StrVal] {
					t.Errorf("%s: a probe asks port %s, and there are %v", where, probe.HTTPGet.Port.StrVal, ports)
				}
			}
			mounts := map[string]string{}
			for _, mount := range container.VolumeMounts {
				mounts[mount.Name] = mount.MountPath
			}
			for _, volume := range pod.Volumes {
				if mounts[volume.Name] == "" || volume.HostPath != nil {
					t.Errorf("%s: volume %s is not mounted, or is a hostPath", where, volume.Name)
				}
			}
			if mounts["tmp"] != "/tmp" {
				t.Errorf("%s: there is no place for temporary files", where)
			}
		}
		policy := named[*networkingv1.NetworkPolicy](t, b, "sk-ctrl")
		ctrl := named[*appsv1.Deployment](t, b, "sk-ctrl")
		if !labels.SelectorFromSet(policy.Spec.PodSelector.MatchLabels).Matches(labels.Set(ctrl.Spec.Template.Labels)) {
			t.Errorf("%s: the network policy selects %v", b.name, policy.Spec.PodSelector)
		}
		wanted := 0
		if b.name == simEverything {
			wanted = 1
		}
		if got := len(policy.Spec.Ingress); got != wanted {
			t.Errorf("%s: the network policy has %d rules, want %d", b.name, got, wanted)
		}
	}
}

// The controller's flags are documented, its ports match, and its accounts exist.
func TestSim_Controller(t *testing.T) {
	known := tableNames(t, "../cmd/sk-ctrl/README.md", "## Flags", "--")
	for _, b := range simBuilds(t) {
		pod := named[*appsv1.Deployment](t, b, "sk-ctrl").Spec.Template.Spec
		container := &pod.Containers[0]
		args := map[string]string{}
		for _, arg := range container.Args {
			name, value, ok := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
			if !ok || !slices.Contains(known, name) || args[name] != "" {
				t.Errorf("%s: argument %s is not one of %q, is not --flag=value, or stands twice", b.name, arg, known)
			}
			args[name] = value
		}
		for flag, port := range map[string]string{"metrics-bind-address": "metrics", "health-probe-bind-address": "health"} {
			at := slices.IndexFunc(container.Ports, func(p corev1.ContainerPort) bool { return p.Name == port })
			if at < 0 || args[flag] != fmt.Sprintf(":%d", container.Ports[at].ContainerPort) {
				t.Errorf("%s: --%s=%s, and port %s is %+v", b.name, flag, args[flag], port, container.Ports)
			}
		}
		if args["leader-elect"] != "true" {
			t.Errorf("%s: two controllers would work at once while one is replaced", b.name)
		}
		checkLimits(t, b.name, args)
		env := map[string]string{}
		for _, variable := range container.Env {
			if env[variable.Name] = variable.Value; variable.ValueFrom != nil {
				env[variable.Name] = variable.ValueFrom.FieldRef.FieldPath
			}
		}
		want := map[string]string{"CTRL_NAMESPACE": "metadata.namespace", "POD_SVC_ACCOUNT": "spec.serviceAccountName", "DRIVER_SVC_ACCOUNT": "sk-driver"}
		if diff := cmp.Diff(want, env); diff != "" {
			t.Errorf("%s: environment (-want +got):\n%s", b.name, diff)
		}
		named[*corev1.ServiceAccount](t, b, env["DRIVER_SVC_ACCOUNT"])
	}
}

// checkLimits checks that the controller does not run hook commands, and allows only what the
// example and skctl run use.
func checkLimits(t *testing.T, name string, args map[string]string) {
	t.Helper()
	if args["hook-commands"] != "false" {
		t.Errorf("%s: commands of hooks would have the controller's rights: --hook-commands=%s", name, args["hook-commands"])
	}
	images, imagesErr := allowlist.ParseImages(strings.Split(args["allowed-driver-images"], ","))
	paths, pathsErr := allowlist.ParsePaths(strings.Split(args["allowed-trace-paths"], ","))
	if err := errors.Join(imagesErr, pathsErr); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	driver := exampleSimulation(t).Spec.Driver
	for image, want := range map[string]bool{driver.Image: true, "simkube/sk-driver:v1.2.3": true, "simkube/sk-ctrl": false, "example.com/simkube/sk-driver": false} {
		if got := images.Allows(image); got != want {
			t.Errorf("%s: image %s is allowed: %v, want %v", name, image, got, want)
		}
	}
	for trace, want := range map[string]bool{strings.TrimPrefix(driver.TracePath, "file://"): true, "/data/trace": true, "/etc/shadow": false, "/": false} {
		if got := paths.Allows(trace); got != want {
			t.Errorf("%s: trace %s is allowed: %v, want %v", name, trace, got, want)
		}
	}
}

// KWOK reads every stage and its settings, manages only simulated nodes, and has the version that
// the stages are tested with.
func TestSim_KWOK(t *testing.T) {
	b := simBuild(t, simCluster)
	pod := named[*appsv1.Deployment](t, b, "sk-kwok").Spec.Template.Spec
	container := &pod.Containers[0]
	data := named[*corev1.ConfigMap](t, b, pod.Volumes[0].ConfigMap.Name).Data
	read := map[string]bool{}
	for _, arg := range container.Args {
		if file, is := strings.CutPrefix(arg, "--config="); is {
			if path.Dir(file) != container.VolumeMounts[0].MountPath {
				t.Errorf("%s is not in %s", file, container.VolumeMounts[0].MountPath)
			}
			read[path.Base(file)] = true
		}
	}
	want := map[string]bool{"kwok.yaml": true}
	for _, stage := range config.Stages() {
		want[stage.Name] = true
		if data[stage.Name] != string(stage.Data) {
			t.Errorf("the stage %s is another in the ConfigMap", stage.Name)
		}
	}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Errorf("files that KWOK reads (-want +got):\n%s", diff)
	}
	if len(data) != len(want) {
		t.Errorf("the ConfigMap has %q", slices.Sorted(maps.Keys(data)))
	}
	var settings struct {
		Options struct {
			ManageAllNodes                    bool
			ManageNodesWithAnnotationSelector string
			NodePort                          int32
			EnableCRDs                        []string
		}
	}
	if err := yaml.Unmarshal([]byte(data["kwok.yaml"]), &settings); err != nil {
		t.Fatal(err)
	}
	if o := settings.Options; o.ManageAllNodes || o.ManageNodesWithAnnotationSelector != simkubev1.AnnotationKwokNode+"=fake" ||
		o.NodePort != container.Ports[0].ContainerPort || len(o.EnableCRDs) > 0 {
		t.Errorf("KWOK's settings are %+v", o)
	}
	modules, err := os.ReadFile("../cluster/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(container.Image, ":")
	if version == "" || !strings.Contains(string(modules), "sigs.k8s.io/kwok "+version+"\n") {
		t.Errorf("KWOK is %s, which is not the version of cluster/go.mod", container.Image)
	}
}

// The tracer's manifests and these do not revert each other's labels, and the pod security level is
// enforced where requested.
func TestSim_Namespace(t *testing.T) {
	tracer := named[*corev1.Namespace](t, kustomize(t, tracerBase), "simkube")
	if diff := cmp.Diff(tracer.Labels, named[*corev1.Namespace](t, simBuild(t, simCluster), "simkube").Labels); diff != "" {
		t.Errorf("labels of the namespace (-tracer +simulations):\n%s", diff)
	}
	restricted := named[*corev1.Namespace](t, simWithEverything(t), "simkube")
	if got := restricted.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Errorf("enforced is %q", got)
	}
}
