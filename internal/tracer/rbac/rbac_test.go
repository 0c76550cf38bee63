package rbac

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

var update = flag.Bool("update", false, "write the golden files")

func parse(t *testing.T, text string) *trace.Config {
	t.Helper()
	config, _, err := trace.ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestKinds(t *testing.T) {
	for name, tc := range map[string]struct {
		config string
		nodes  bool
		want   []string
	}{
		"nothing":             {"trackedObjects: {}", false, nil},
		"nodes":               {"trackedObjects: {}", true, []string{"v1.Node"}},
		"without pods":        {"trackedObjects: {apps/v1.Deployment: {}, v1.ConfigMap: {}}", false, []string{"apps/v1.Deployment", "v1.ConfigMap"}},
		"with lifecycles":     {"trackedObjects: {apps/v1.Deployment: {trackLifecycle: true}}", true, []string{"apps/v1.Deployment", "apps/v1.ReplicaSet", "v1.Node", "v1.Pod"}},
		"between, because of": {"trackedObjects: {batch/v1.CronJob: {}, v1.Pod: {}}", false, []string{"batch/v1.CronJob", "batch/v1.Job", "v1.Pod"}},
		"another's pods":      {"trackedObjects: {batch/v1.CronJob: {}, apps/v1.StatefulSet: {trackLifecycle: true}}", false, []string{"apps/v1.StatefulSet", "batch/v1.CronJob", "batch/v1.Job", "v1.Pod"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, gvk := range Kinds(parse(t, tc.config), tc.nodes) {
				got = append(got, trace.FormatGVK(gvk))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRole_YAML compares the roles with golden files, and has Kubernetes parse them.
func TestRole_YAML(t *testing.T) {
	for name, tc := range map[string]struct {
		config  string
		nodes   bool
		reviews bool
	}{
		"usual": {
			`trackedObjects: {apps/v1.Deployment: {trackLifecycle: true}, apps/v1.StatefulSet: {}, batch/v1.CronJob: {}, v1.ConfigMap: {},
				networking.k8s.io/v1.NetworkPolicy: {}, v1.Endpoints: {}, storage.k8s.io/v1.StorageClass: {}}`, true, true,
		},
		"guessed": {
			`trackedObjects: {batch.volcano.sh/v1alpha1.Job: {podSpecTemplatePaths: ["/spec/tasks/*/template"], trackLifecycle: true},
				gateway.networking.k8s.io/v1.Gateway: {}, gateway.networking.k8s.io/v1beta1.Gateway: {}, example.com/v1.Policy: {}}`, false, false,
		},
		"empty": {"trackedObjects: {}", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			role := Role{Name: "sk-tracer", Made: "Made for a test.", Reviews: tc.reviews}
			for _, gvk := range Kinds(parse(t, tc.config), tc.nodes) {
				role.Resources = append(role.Resources, Guess(gvk))
			}
			got := role.YAML()
			golden := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("role (-want +got); -update writes it:\n%s", diff)
			}
			var decoded rbacv1.ClusterRole
			if err := yaml.UnmarshalStrict([]byte(got), &decoded); err != nil || decoded.Name != "sk-tracer" {
				t.Errorf("the role reads as %+v, %v", decoded, err)
			}
			for _, rule := range decoded.Rules {
				if strings.Contains(strings.Join(append(append(rule.APIGroups, rule.Resources...), rule.Verbs...), " "), "*") {
					t.Errorf("the rule %+v allows everything of something", rule)
				}
			}
		})
	}
}

func TestRole_YAML_OddName(t *testing.T) {
	for _, name := range []string{"true", "1", "system:sk-tracer", "a b: c", "# x"} {
		var decoded rbacv1.ClusterRole
		text := Role{Name: name, Made: "from a\nfile"}.YAML()
		if err := yaml.UnmarshalStrict([]byte(text), &decoded); err != nil || decoded.Name != name {
			t.Errorf("the name %q reads as %q, %v", name, decoded.Name, err)
		}
	}
}

// TestGuess_Known checks the guesses for the kinds of Kubernetes.
func TestGuess_Known(t *testing.T) {
	want := map[string]string{
		"v1.Endpoints": "endpoints", "networking.k8s.io/v1.Ingress": "ingresses", "networking.k8s.io/v1.NetworkPolicy": "networkpolicies",
		"storage.k8s.io/v1.CSIStorageCapacity": "csistoragecapacities", "scheduling.k8s.io/v1.PriorityClass": "priorityclasses",
		"resource.k8s.io/v1.DeviceClass": "deviceclasses", "autoscaling/v2.HorizontalPodAutoscaler": "horizontalpodautoscalers",
	}
	for text, resource := range want {
		gvk, err := trace.ParseGVK(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Guess(gvk); got != (Resource{Group: gvk.Group, Name: resource}) {
			t.Errorf("Guess(%s) = %+v, want %s", text, got, resource)
		}
	}
	if !scheme.Scheme.Recognizes(schema.GroupVersionKind{Version: "v1", Kind: "Pod"}) {
		t.Error("the scheme is empty")
	}
}

// discovery is a cluster with one group.
type discovery struct{ err error }

func (d discovery) ServerResourcesForGroupVersion(gv string) (*metav1.APIResourceList, error) {
	if d.err != nil {
		return nil, d.err
	}
	if gv != "example.com/v1" {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, gv)
	}
	all := metav1.Verbs{"get", "list", "watch"}
	return &metav1.APIResourceList{APIResources: []metav1.APIResource{
		{Name: "oxen/scale", Kind: "Ox", Verbs: all}, {Name: "oxen", Kind: "Ox", Verbs: all}, {Name: "looks", Kind: "Look", Verbs: metav1.Verbs{"create"}},
	}}, nil
}

func TestDiscover(t *testing.T) {
	broken := errors.New("the API server is away")
	for name, tc := range map[string]struct {
		cluster discovery
		gvk     schema.GroupVersionKind
		want    Resource
		wantErr error
	}{
		"there":         {discovery{}, schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Ox"}, Resource{Group: "example.com", Name: "oxen"}, nil},
		"no such kind":  {discovery{}, schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Cow"}, Resource{}, ErrNoKind},
		"no such group": {discovery{}, schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Ox"}, Resource{}, ErrNoKind},
		"not watched":   {discovery{}, schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Look"}, Resource{}, ErrNoKind},
		"away":          {discovery{broken}, schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Ox"}, Resource{}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Discover(tc.cluster, tc.gvk)
			if got != tc.want || !errors.Is(err, tc.wantErr) {
				t.Errorf("Discover = %+v, %v, want %+v, %v", got, err, tc.want, tc.wantErr)
			}
		})
	}
}
