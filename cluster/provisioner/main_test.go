package provisioner_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"simkube.io/simkube/cluster/controlplane"
	"simkube.io/simkube/cluster/internal/planetest"
	"simkube.io/simkube/cluster/internal/virtualtime"
	"simkube.io/simkube/cluster/provisioner"
)

const (
	driver = "disk.example.com"
	// waitTime is how long a test waits for what should take a moment.
	waitTime = time.Minute
)

// client is that of the control plane, which the tests share. It has the nodes a-0 in zone a and
// b-0 in zone b.
var client kubernetes.Interface

func TestMain(m *testing.M) {
	virtualtime.Prepare()
	os.Exit(planetest.Main(controlplane.Options{
		Controllers: controlplane.SimulationControllers(),
		KubeAPIQPS:  -1,
		Components:  []controlplane.Component{provisioner.Component(provisioner.Options{DefaultClass: "standard"})},
		Minimal:     virtualtime.Enabled,
	}, func(plane *controlplane.ControlPlane) (int, error) {
		var err error
		if client, err = kubernetes.NewForConfig(plane.RESTConfig()); err != nil {
			return 1, err
		}
		for name, zone := range map[string]string{"a-0": "a", "b-0": "b"} {
			node := planetest.Node(name)
			node.Labels[corev1.LabelTopologyZone] = zone
			node.Spec.Taints = nil
			if _, err := client.CoreV1().Nodes().Create(context.Background(), node, metav1.CreateOptions{}); err != nil {
				return 1, err
			}
		}
		return m.Run(), nil
	}))
}

// namespace creates a namespace that is named after the test.
func namespace(t *testing.T) string {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	_, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func createClass(t *testing.T, class *storagev1.StorageClass) {
	t.Helper()
	if _, err := client.StorageV1().StorageClasses().Create(t.Context(), class, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// waitingClass returns a class whose claims wait for a pod.
func waitingClass(name string) *storagev1.StorageClass {
	return &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: driver,
		VolumeBindingMode: new(storagev1.VolumeBindingWaitForFirstConsumer),
	}
}

// newClaim returns a claim of 1 GiB; a class of "" leaves it to the cluster.
func newClaim(namespace, name, class string) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: storage("1Gi")},
		},
	}
	if class != "" {
		claim.Spec.StorageClassName = &class
	}
	return claim
}

func storage(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
}

func createClaim(t *testing.T, claim *corev1.PersistentVolumeClaim) {
	t.Helper()
	if _, err := client.CoreV1().PersistentVolumeClaims(claim.Namespace).Create(t.Context(), claim, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// createPod creates a pod that uses a claim, in a zone if one is given.
func createPod(t *testing.T, namespace, name, claim, zone string) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "main", Image: "example.com/main"}},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
			}}},
		},
	}
	if zone != "" {
		pod.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: zone}
	}
	if _, err := client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, waitTime, true, holds); err != nil {
		t.Fatalf("wait for %s: %v", what, err)
	}
}

func awaitRunning(t *testing.T, namespace, name string) {
	t.Helper()
	eventually(t, "pod "+name+" to run", func(ctx context.Context) (bool, error) {
		pod, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		return err == nil && pod.Status.Phase == corev1.PodRunning, err
	})
}

// awaitBound waits until a claim is bound, and returns its volume.
func awaitBound(t *testing.T, namespace, name string) *corev1.PersistentVolume {
	t.Helper()
	var claim *corev1.PersistentVolumeClaim
	eventually(t, "claim "+name+" to be bound", func(ctx context.Context) (bool, error) {
		var err error
		claim, err = client.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, name, metav1.GetOptions{})
		return err == nil && claim.Status.Phase == corev1.ClaimBound, err
	})
	volume, err := client.CoreV1().PersistentVolumes().Get(t.Context(), claim.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return volume
}
