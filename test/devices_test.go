package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asking returns a Deployment whose pods have these fields.
func asking(name string, replicas int, fields string) string {
	if fields != "" {
		fields = ", " + fields
	}
	return fmt.Sprintf(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %[1]q, "namespace": "ml"}, "spec": {
		"replicas": %[2]d, "selector": {"matchLabels": {"app": %[1]q}}, "template": {"metadata": {"labels": {"app": %[1]q}}, "spec": {
		"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]%[3]s}}}}`, name, replicas, fields)
}

// Under auto, the nodes have what pods ask for: all pods run, also those with claims of devices.
func TestSimulate_NodesHaveWhatPodsAskFor(t *testing.T) {
	t.Parallel()
	const group = `"apiVersion": "resource.k8s.io/v1"`
	objects := []string{
		`{` + group + `, "kind": "DeviceClass", "metadata": {"name": "gpu"}, "spec": {"selectors": [{"cel": {"expression":
			"device.driver == 'gpu.example.com' && device.attributes['gpu.example.com'].type == 'gpu'"}}]}}`,
		`{` + group + `, "kind": "ResourceClaimTemplate", "metadata": {"name": "two", "namespace": "ml"}, "spec": {"spec": {"devices": {"requests": [
			{"name": "a", "exactly": {"deviceClassName": "gpu", "count": 2, "selectors": [{"cel": {"expression":
			"device.capacity['gpu.example.com'].memory.compareTo(quantity('40Gi')) >= 0"}}]}}]}}}}`,
		`{` + group + `, "kind": "ResourceClaim", "metadata": {"name": "shared", "namespace": "ml"}, "spec": {"devices": {"requests": [
			{"name": "a", "exactly": {"deviceClassName": "gpu"}}]}}}`,
		asking("plain", 3, ""),
		asking("train", 5, `"resourceClaims": [{"name": "d", "resourceClaimTemplateName": "two"}]`),
		asking("serve", 4, `"resourceClaims": [{"name": "d", "resourceClaimName": "shared"}]`),
		asking("pinned", 2, `"nodeSelector": {"kubernetes.io/hostname": "worker-7", "disk": "ssd"}`),
		asking("typed", 2, `"nodeSelector": {"type": "gpu"}`),
		asking("windows", 1, `"nodeSelector": {"kubernetes.io/os": "windows"}`),
		`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "large", "namespace": "ml"}, "spec": {"containers": [{"name": "c", "image": "i", "resources":
			{"requests": {"cpu": "50"}, "limits": {"nvidia.com/gpu": "2", "hugepages-2Mi": "1Gi", "memory": "1Gi"}}}]}}`,
	}
	text := fmt.Sprintf(`{"events": [{"ts": %d, "applied_objs": [%s], "deleted_objs": []},
		{"ts": %d, "applied_objs": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "late"}}], "deleted_objs": []}]}`,
		traceStart, strings.Join(objects, ","), traceStart+60)
	for name, clock := range clocks {
		s := newSandbox(t)
		if err := os.WriteFile(filepath.Join(s.dir, "t.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.skctl("trace", "from-json", "t.json", "-o", "t.sktrace").check(t, done)
		r := s.skctl(append([]string{"simulate", "t.sktrace", "-o", "out"}, clock...)...)
		r.check(t, done)
		wants(t, "standard error", r.stderr, "with 8 devices of gpu for", "1 node named worker-7", "label.type=gpu")
		ran := map[string]int{}
		for _, owner := range summary(t, filepath.Join(s.dir, "out")).Outcome.ByOwner {
			ran[owner.Name] = owner.Pods - owner.NeverScheduled
		}
		want := map[string]int{"plain": 3, "train": 5, "serve": 4, "pinned": 2, "typed": 2, "windows": 1, "large": 1}
		if diff := cmp.Diff(want, ran); diff != "" {
			t.Errorf("%s time: pods that ran (-want +got):\n%s", name, diff)
		}
	}
}
