package provisioner_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func in(key string, values ...string) *corev1.VolumeNodeAffinity {
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}},
	}}}}
}

// A claim is bound to a volume that has what the claim and its class ask for, and can be used where
// the pod runs.
func TestProvision(t *testing.T) {
	t.Parallel()
	inZones := []corev1.TopologySelectorTerm{{MatchLabelExpressions: []corev1.TopologySelectorLabelRequirement{
		{Key: corev1.LabelTopologyZone, Values: []string{"a", "b"}},
	}}}
	type class = storagev1.StorageClass
	type claim = corev1.PersistentVolumeClaimSpec
	for name, c := range map[string]struct {
		class    func(*class)
		claim    func(*claim)
		pod      bool // in zone b
		affinity *corev1.VolumeNodeAffinity
		driver   string
	}{
		"waits":      {pod: true, affinity: in(corev1.LabelTopologyZone, "b"), driver: driver},
		"immediate":  {class: func(c *class) { c.VolumeBindingMode = nil }, driver: driver},
		"topologies": {class: func(c *class) { c.VolumeBindingMode, c.AllowedTopologies = nil, inZones }, affinity: in(corev1.LabelTopologyZone, "a", "b"), driver: driver},
		"shared": {
			claim: func(c *claim) { c.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany} },
			pod:   true, driver: driver,
		},
		"one pod": {
			claim: func(c *claim) { c.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOncePod} },
			pod:   true, affinity: in(corev1.LabelTopologyZone, "b"), driver: driver,
		},
		"block": {
			class: func(c *class) { c.VolumeBindingMode = nil },
			claim: func(c *claim) { c.VolumeMode = new(corev1.PersistentVolumeBlock) }, driver: driver,
		},
		"retained": {
			class: func(c *class) { c.VolumeBindingMode, c.ReclaimPolicy = nil, new(corev1.PersistentVolumeReclaimRetain) }, driver: driver,
		},
		"on the node": {
			class: func(c *class) { c.Provisioner = "rancher.io/local-path" },
			pod:   true, affinity: in(corev1.LabelHostname, "b-0"), driver: "provisioner.simkube.io",
		},
		"migrated": {class: func(c *class) { c.VolumeBindingMode, c.Provisioner = nil, "kubernetes.io/aws-ebs" }, driver: "ebs.csi.aws.com"},
		"removed": {
			class: func(c *class) { c.VolumeBindingMode, c.Provisioner = nil, "kubernetes.io/glusterfs" }, driver: "provisioner.simkube.io",
		},
		"from a snapshot": {
			class: func(c *class) { c.VolumeBindingMode = nil },
			claim: func(c *claim) {
				c.DataSource = &corev1.TypedLocalObjectReference{APIGroup: new("snapshot.storage.k8s.io"), Kind: "VolumeSnapshot", Name: "s"}
			},
			driver: driver,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			class, claim := waitingClass(ns), newClaim(ns, "data", ns)
			if c.class != nil {
				c.class(class)
			}
			if c.claim != nil {
				c.claim(&claim.Spec)
			}
			createClass(t, class)
			createClaim(t, claim)
			if c.pod {
				createPod(t, ns, "user", "data", "b")
				awaitRunning(t, ns, "user")
			}
			volume := awaitBound(t, ns, "data")
			got := &volume.Spec
			if diff := cmp.Diff(c.affinity, got.NodeAffinity); diff != "" {
				t.Errorf("node affinity (-want +got):\n%s", diff)
			}
			if got.CSI == nil || got.CSI.Driver != c.driver {
				t.Errorf("source: got %v, want the driver %s", got.CSI, c.driver)
			}
			policy := corev1.PersistentVolumeReclaimDelete
			if class.ReclaimPolicy != nil {
				policy = *class.ReclaimPolicy
			}
			mode := corev1.PersistentVolumeFilesystem
			if claim.Spec.VolumeMode != nil {
				mode = *claim.Spec.VolumeMode
			}
			if !equality.Semantic.DeepEqual(got.Capacity, storage("1Gi")) || got.PersistentVolumeReclaimPolicy != policy ||
				*got.VolumeMode != mode || got.StorageClassName != ns || cmp.Diff(claim.Spec.AccessModes, got.AccessModes) != "" {
				t.Errorf("got %+v, want what the claim and its class ask for", got)
			}
		})
	}
}

// Claims that wait for a pod, for a volume by hand, or for their class stay pending.
func TestProvision_Pending(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	byHand := waitingClass(ns + "-by-hand")
	byHand.Provisioner, byHand.VolumeBindingMode = "kubernetes.io/no-provisioner", nil
	createClass(t, byHand)
	createClass(t, waitingClass(ns+"-waiting"))
	immediate := waitingClass(ns + "-late")
	immediate.VolumeBindingMode = nil
	for _, claim := range []string{"by-hand", "waiting", "late"} {
		createClaim(t, newClaim(ns, claim, ns+"-"+claim))
	}
	createClass(t, immediate)
	awaitBound(t, ns, "late") // kube-controller-manager looks at such claims again every 15 s
	for _, claim := range []string{"by-hand", "waiting"} {
		got, err := client.CoreV1().PersistentVolumeClaims(ns).Get(t.Context(), claim, metav1.GetOptions{})
		if err != nil || got.Status.Phase != corev1.ClaimPending {
			t.Errorf("claim %s: got %v, %v, want it pending", claim, got.Status.Phase, err)
		}
	}
}

func TestDefaultClass(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	createClaim(t, newClaim(ns, "data", ""))
	createPod(t, ns, "user", "data", "")
	awaitRunning(t, ns, "user")
	if got := awaitBound(t, ns, "data").Spec.StorageClassName; got != "standard" {
		t.Errorf("class: got %q, want standard", got)
	}
}

// A volume goes with its claim, and the claim when no pod uses it, unless the volume is retained.
func TestDelete(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	retaining := waitingClass(ns + "-retain")
	retaining.ReclaimPolicy = new(corev1.PersistentVolumeReclaimRetain)
	createClass(t, retaining)
	createClass(t, waitingClass(ns+"-delete"))
	volumes := map[string]string{}
	for _, claim := range []string{"retain", "delete"} {
		createClaim(t, newClaim(ns, claim, ns+"-"+claim))
		createPod(t, ns, claim, claim, "")
		awaitRunning(t, ns, claim)
		volumes[claim] = awaitBound(t, ns, claim).Name
	}
	if err := client.CoreV1().PersistentVolumeClaims(ns).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := client.CoreV1().PersistentVolumeClaims(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(got.Items) != 2 {
		t.Errorf("claims that pods use: got %d, %v, want 2", len(got.Items), err)
	}
	if err := client.CoreV1().Pods(ns).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the volume to go", func(ctx context.Context) (bool, error) {
		_, err := client.CoreV1().PersistentVolumes().Get(ctx, volumes["delete"], metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
	eventually(t, "the other volume to be released", func(ctx context.Context) (bool, error) {
		volume, err := client.CoreV1().PersistentVolumes().Get(ctx, volumes["retain"], metav1.GetOptions{})
		return err == nil && volume.Status.Phase == corev1.VolumeReleased, err
	})
}

func TestExpand(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	class := waitingClass(ns)
	class.VolumeBindingMode, class.AllowVolumeExpansion = nil, new(true)
	createClass(t, class)
	createClaim(t, newClaim(ns, "data", ns))
	name := awaitBound(t, ns, "data").Name
	patch := []byte(`{"spec": {"resources": {"requests": {"storage": "5Gi"}}}}`)
	if _, err := client.CoreV1().PersistentVolumeClaims(ns).Patch(t.Context(), "data", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the claim to grow", func(ctx context.Context) (bool, error) {
		claim, err := client.CoreV1().PersistentVolumeClaims(ns).Get(ctx, "data", metav1.GetOptions{})
		return err == nil && equality.Semantic.DeepEqual(claim.Status.Capacity, storage("5Gi")), err
	})
	volume, err := client.CoreV1().PersistentVolumes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil || !equality.Semantic.DeepEqual(volume.Spec.Capacity, storage("5Gi")) {
		t.Errorf("volume: got %v, %v, want 5Gi", volume.Spec.Capacity, err)
	}
}

// The limit of a CSINode holds for simulated volumes: with one volume on each of two nodes, the
// third pod waits until another is gone.
func TestLimit(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	const limited = "limited.example.com"
	for _, node := range []string{"a-0", "b-0"} {
		csiNode := &storagev1.CSINode{
			ObjectMeta: metav1.ObjectMeta{Name: node},
			Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{
				Name: limited, NodeID: node, TopologyKeys: []string{corev1.LabelTopologyZone},
				Allocatable: &storagev1.VolumeNodeResources{Count: new(int32(1))},
			}}},
		}
		if _, err := client.StorageV1().CSINodes().Create(t.Context(), csiNode, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	class := waitingClass(ns)
	class.Provisioner = limited
	createClass(t, class)
	for _, name := range []string{"first", "second"} {
		createClaim(t, newClaim(ns, name, ns))
		createPod(t, ns, name, name, "")
		awaitRunning(t, ns, name)
	}
	createClaim(t, newClaim(ns, "third", ns))
	createPod(t, ns, "third", "third", "")
	eventually(t, "the third pod to be unschedulable", func(ctx context.Context) (bool, error) {
		pod, err := client.CoreV1().Pods(ns).Get(ctx, "third", metav1.GetOptions{})
		if err != nil || len(pod.Status.Conditions) == 0 {
			return false, err
		}
		return pod.Status.Conditions[0].Reason == corev1.PodReasonUnschedulable, nil
	})
	if err := client.CoreV1().Pods(ns).Delete(t.Context(), "first", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	awaitRunning(t, ns, "third")
}

// The scheduler only chooses nodes with published capacity if a driver tracks it.
func TestCapacity(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	class := waitingClass(ns)
	class.Provisioner = "tracked.example.com"
	createClass(t, class)
	tracked := &storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: class.Provisioner}, Spec: storagev1.CSIDriverSpec{StorageCapacity: new(true)}}
	if _, err := client.StorageV1().CSIDrivers().Create(t.Context(), tracked, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	createClaim(t, newClaim(ns, "data", ns))
	createPod(t, ns, "user", "data", "")
	awaitRunning(t, ns, "user")
}

// The scheduler chooses again if the node that it chose is gone.
func TestReschedule(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	createClass(t, waitingClass(ns))
	claim := newClaim(ns, "data", ns)
	claim.Annotations = map[string]string{"volume.kubernetes.io/selected-node": "gone"}
	createClaim(t, claim)
	eventually(t, "the choice to be withdrawn", func(ctx context.Context) (bool, error) {
		claim, err := client.CoreV1().PersistentVolumeClaims(ns).Get(ctx, "data", metav1.GetOptions{})
		return err == nil && claim.Annotations["volume.kubernetes.io/selected-node"] == "", err
	})
	createPod(t, ns, "user", "data", "")
	awaitRunning(t, ns, "user")
}
