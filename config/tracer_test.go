package config_test

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/timespec"
)

// Every manifest can be decoded strictly, is in the tracer's namespace, and occurs once.
func TestTracer_Objects(t *testing.T) {
	clusterScoped := []string{"*v1.Namespace", "*v1.ClusterRole", "*v1.ClusterRoleBinding", "*v1.PriorityClass", "*v1.PersistentVolume"}
	for _, b := range tracerBuilds(t) {
		seen := map[string]bool{}
		for _, object := range b.objects {
			kind := fmt.Sprintf("%T", object)
			id := kind + " " + object.GetName()
			if seen[id] {
				t.Errorf("%s: %s stands twice", b.name, id)
			}
			seen[id] = true
			want := "simkube"
			if slices.Contains(clusterScoped, kind) {
				want = ""
			}
			if got := object.GetNamespace(); got != want {
				t.Errorf("%s: namespace of %s: got %q, want %q", b.name, id, got, want)
			}
		}
	}
}

// The pod fulfils the restricted pod security level, and has a read-only root.
func TestTracer_PodIsRestricted(t *testing.T) {
	for _, b := range tracerBuilds(t) {
		_, pod, container := tracerPod(t, b)
		if pod.HostNetwork || pod.HostPID || pod.HostIPC {
			t.Errorf("%s: the pod shares namespaces with its node", b.name)
		}
		if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 ||
			s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: the pod's security context is too wide: %+v", b.name, s)
		}
		s := container.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
			s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Privileged != nil && *s.Privileged ||
			s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
			t.Errorf("%s: the container's security context is too wide: %+v", b.name, s)
		}
		for _, volume := range pod.Volumes {
			if volume.HostPath != nil {
				t.Errorf("%s: volume %s is a hostPath", b.name, volume.Name)
			}
		}
		for _, list := range []corev1.ResourceList{container.Resources.Requests, container.Resources.Limits} {
			if list.Memory().IsZero() || list.Cpu().IsZero() {
				t.Errorf("%s: requests or limits are missing: %v", b.name, container.Resources)
			}
		}
		if requests, limits := container.Resources.Requests.Memory(), container.Resources.Limits.Memory(); requests.Cmp(*limits) >= 0 {
			t.Errorf("%s: GOMEMLIMIT, %s, leaves nothing up to the limit of %s", b.name, requests, limits)
		}
	}
}

// The event log allows one writer.
func TestTracer_OneWriter(t *testing.T) {
	for _, b := range tracerBuilds(t) {
		set, _, _ := tracerPod(t, b)
		if set.Spec.Replicas == nil || *set.Spec.Replicas != 1 || len(all[*appsv1.StatefulSet](b)) != 1 || len(all[*appsv1.Deployment](b)) != 0 {
			t.Errorf("%s does not have one tracer", b.name)
		}
	}
}

// Objects that others refer to exist.
func TestTracer_References(t *testing.T) {
	for _, b := range tracerBuilds(t) {
		set, pod, container := tracerPod(t, b)
		named[*corev1.ServiceAccount](t, b, pod.ServiceAccountName)
		if pod.PriorityClassName != "" {
			named[*schedulingv1.PriorityClass](t, b, pod.PriorityClassName)
		}
		mounts := map[string]string{}
		for _, mount := range container.VolumeMounts {
			mounts[mount.Name] = mount.MountPath
			if mount.SubPath != "" {
				t.Errorf("%s: %s is mounted with a subPath: a change of the config would not arrive", b.name, mount.Name)
			}
		}
		for _, volume := range pod.Volumes {
			if mounts[volume.Name] == "" {
				t.Errorf("%s: volume %s is not mounted", b.name, volume.Name)
			}
			switch {
			case volume.ConfigMap != nil:
				config := named[*corev1.ConfigMap](t, b, volume.ConfigMap.Name)
				file := one(t, b, tracerArgs(t, b), "config-file")
				if path.Dir(file) != mounts[volume.Name] || config.Data[path.Base(file)] == "" {
					t.Errorf("%s: --config-file=%s is not in the ConfigMap %s", b.name, file, config.Name)
				}
			case volume.PersistentVolumeClaim != nil:
				named[*corev1.PersistentVolumeClaim](t, b, volume.PersistentVolumeClaim.ClaimName)
				// Not the volume's root, which may hold lost+found.
				if dir := one(t, b, tracerArgs(t, b), "data-dir"); path.Dir(dir) != mounts[volume.Name] {
					t.Errorf("%s: --data-dir=%s is not a folder in the volume at %s", b.name, dir, mounts[volume.Name])
				}
			}
		}
		if mounts["tmp"] != "/tmp" {
			t.Errorf("%s: exports have no place for temporary files", b.name)
		}
		podLabels := labels.Set(set.Spec.Template.Labels)
		service := named[*corev1.Service](t, b, "sk-tracer")
		policy := named[*networkingv1.NetworkPolicy](t, b, "sk-tracer")
		for what, selector := range map[string]map[string]string{
			"StatefulSet": set.Spec.Selector.MatchLabels, "Service": service.Spec.Selector, "NetworkPolicy": policy.Spec.PodSelector.MatchLabels,
		} {
			if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(podLabels) {
				t.Errorf("%s: the %s selects %v, the pod has %v", b.name, what, selector, podLabels)
			}
		}
		if got, want := service.Spec.Ports[0].Port, int32(simkubev1.DefaultTracerPort); got != want || container.Ports[0].ContainerPort != want {
			t.Errorf("%s: ports %d and %d, want %d", b.name, got, container.Ports[0].ContainerPort, want)
		}
		if got, want := service.Spec.Ports[0].TargetPort.StrVal, container.Ports[0].Name; got != want {
			t.Errorf("%s: the service's target port is %q, want %q", b.name, got, want)
		}
		if slices.ContainsFunc(policy.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
			return len(rule.From) == 0 || len(rule.Ports) != 1 || rule.Ports[0].Port.StrVal != container.Ports[0].Name
		}) {
			t.Errorf("%s: the network policy lets everybody in, or on other ports: %+v", b.name, policy.Spec.Ingress)
		}
	}
}

// The arguments are flags of sk-tracer (as listed in the documentation), are safe, and match the
// volume.
func TestTracer_Args(t *testing.T) {
	known := tableNames(t, "../docs/tracer.md", "## Flags", "--")
	for _, b := range tracerBuilds(t) {
		args := tracerArgs(t, b)
		for name, values := range args {
			if !slices.Contains(known, name) {
				t.Errorf("%s: --%s is not in the table of docs/tracer.md, which has %q", b.name, name, known)
			}
			if len(values) > 1 && name != "allow-destination" {
				t.Errorf("%s: --%s stands %d times", b.name, name, len(values))
			}
		}
		if got := args["auth"]; !slices.Equal(got, []string{"token"}) || args["insecure"] != nil {
			t.Errorf("%s: the API is open: --auth is %q, --insecure %q", b.name, got, args["insecure"])
		}
		if got, want := args["server-port"], []string{fmt.Sprint(simkubev1.DefaultTracerPort)}; !slices.Equal(got, want) {
			t.Errorf("%s: --server-port is %q, want %q", b.name, got, want)
		}
		if _, err := timespec.ParseDuration(one(t, b, args, "retention")); err != nil {
			t.Errorf("%s: --retention: %v", b.name, err)
		}
		size, err := resource.ParseQuantity(one(t, b, args, "max-size"))
		if err != nil {
			t.Fatalf("%s: --max-size: %v", b.name, err)
		}
		volume := named[*corev1.PersistentVolumeClaim](t, b, "sk-tracer-data").Spec.Resources.Requests.Storage()
		if 3*size.Value() > 2*volume.Value() {
			t.Errorf("%s: --max-size %s is more than two thirds of the volume's %s, which compaction needs", b.name, &size, volume)
		}
	}
}

// Only overlays for a cloud may write to buckets, and only below a prefix.
func TestTracer_Destinations(t *testing.T) {
	want := map[string]string{
		"tracer/overlays/aws": "s3://your-bucket/simkube", "tracer/overlays/google": "gs://your-bucket/simkube",
		"tracer/overlays/azure": "azure://your-container/simkube",
	}
	for _, b := range tracerBuilds(t) {
		if got := strings.Join(tracerArgs(t, b)["allow-destination"], " "); got != want[b.name] {
			t.Errorf("%s: --allow-destination: got %q, want %q", b.name, got, want[b.name])
		}
	}
}

// The cluster that the overlay's cluster.yaml creates has the folder that the overlay needs.
func TestTracer_Kind(t *testing.T) {
	text, err := os.ReadFile("tracer/overlays/kind/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cluster struct {
		Kind, APIVersion, Name string
		Nodes                  []struct {
			Role        string
			ExtraMounts []struct{ HostPath, ContainerPath string }
		}
	}
	if err := yaml.UnmarshalStrict(text, &cluster); err != nil {
		t.Fatal(err)
	}
	b := kustomize(t, "tracer/overlays/kind")
	volume := named[*corev1.PersistentVolume](t, b, "sk-tracer-data")
	claim := named[*corev1.PersistentVolumeClaim](t, b, volume.Spec.ClaimRef.Name)
	if claim.Spec.VolumeName != volume.Name || *claim.Spec.StorageClassName != volume.Spec.StorageClassName {
		t.Errorf("claim and volume do not name each other: %+v, %+v", claim.Spec, volume.Spec)
	}
	for _, node := range cluster.Nodes {
		if got, want := node.ExtraMounts[0].ContainerPath, path.Dir(volume.Spec.HostPath.Path); got != want {
			t.Errorf("a node's mount is at %s, want %s", got, want)
		}
	}
}

// Alerts use documented metrics.
func TestTracer_Metrics(t *testing.T) {
	if diff := cmp.Diff([]string{"PrometheusRule/sk-tracer", "ServiceMonitor/sk-tracer"}, slices.Sorted(slices.Values(withComponents(t).others))); diff != "" {
		t.Errorf("monitoring objects (-want +got):\n%s", diff)
	}
	known := tableNames(t, "../docs/tracer.md", "## Metrics", "simkube_tracer_")
	rules, err := os.ReadFile("tracer/components/prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`simkube_tracer_([a-z_]+)`).FindAllStringSubmatch(string(rules), -1)
	if len(found) < 4 {
		t.Errorf("only %d metrics were found in the rules: this test looks in the wrong place", len(found))
	}
	for _, match := range found {
		if name := strings.TrimSuffix(match[1], "_bucket"); !slices.Contains(known, name) {
			t.Errorf("the rules ask for simkube_tracer_%s, which docs/tracer.md does not list", name)
		}
	}
}

// tableNames returns the names with a prefix in the first column of the tables in a section of a
// document.
func tableNames(t *testing.T, file, heading, prefix string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", file, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	name := regexp.MustCompile("`" + prefix + "([a-z_-]+)")
	var names []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, match := range name.FindAllStringSubmatch(cells[1], -1) {
				names = append(names, match[1])
			}
		}
	}
	if len(names) < 5 {
		t.Fatalf("%s, %s: only %q were found: this test looks in the wrong place", file, heading, names)
	}
	return names
}
