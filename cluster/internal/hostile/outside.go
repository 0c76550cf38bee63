package hostile

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/cluster/internal/planetest"
)

// Outside are objects that do not belong to any simulation.
type Outside struct {
	// ConfigMap and Deployment are the UIDs of two of them.
	ConfigMap, Deployment types.UID
}

// CreateOutside creates the objects that traces refer to: two nodes that are not marked as
// simulated, a namespace with a Deployment running there, a copy of a simulated object, classes and
// a volume. It waits until the pods are running.
func CreateOutside(ctx context.Context, client kubernetes.Interface) (*Outside, error) {
	if err := createClusterScoped(ctx, client); err != nil {
		return nil, err
	}
	outside, err := createNamespaced(ctx, client)
	if err != nil {
		return nil, err
	}
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		shop, err := client.AppsV1().Deployments(Namespace).Get(ctx, "shop", metav1.GetOptions{})
		if err != nil || shop.Status.AvailableReplicas < *shop.Spec.Replicas {
			return false, err
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for the objects outside: %w", err)
	}
	return outside, nil
}

// DeleteOutside deletes what CreateOutside created.
func DeleteOutside(ctx context.Context, client kubernetes.Interface) error {
	now := metav1.DeleteOptions{}
	return errors.Join(
		client.CoreV1().Namespaces().Delete(ctx, Namespace, now),
		client.CoreV1().Nodes().Delete(ctx, "real-0", now),
		client.CoreV1().Nodes().Delete(ctx, "real-1", now),
		client.SchedulingV1().PriorityClasses().Delete(ctx, "high", now),
		client.StorageV1().StorageClasses().Delete(ctx, "fast", now),
		client.CoreV1().PersistentVolumes().Delete(ctx, "disk", now),
		client.RbacV1().ClusterRoles().Delete(ctx, "shop", now),
	)
}

func createNamespaced(ctx context.Context, client kubernetes.Interface) (*Outside, error) {
	settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"a": "b"}}
	made, err := client.CoreV1().ConfigMaps(Namespace).Create(ctx, settings, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("create ConfigMap: %w", err)
	}
	shop, err := client.AppsV1().Deployments(Namespace).Create(ctx, shop(), metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("create Deployment: %w", err)
	}
	copied := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "copied", Labels: simkubev1.SimulatedLabels("other")}}
	if _, err := client.CoreV1().ConfigMaps(Namespace).Create(ctx, copied, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("create ConfigMap: %w", err)
	}
	return &Outside{ConfigMap: made.UID, Deployment: shop.UID}, nil
}

// CreateClaims creates two claims in Namespace that wait for a volume: one would get the default
// class if there were one, the other a volume without a class.
func CreateClaims(ctx context.Context, client kubernetes.Interface) error {
	for _, class := range []*string{nil, new("")} {
		claim := &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "data-"},
			Spec: corev1.PersistentVolumeClaimSpec{
				StorageClassName: class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
			},
		}
		if _, err := client.CoreV1().PersistentVolumeClaims(Namespace).Create(ctx, claim, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create claim: %w", err)
		}
	}
	return nil
}

func createClusterScoped(ctx context.Context, client kubernetes.Interface) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create namespace: %w", err)
	}
	for i := range 2 {
		node := planetest.Node(fmt.Sprint("real-", i))
		delete(node.Labels, simkubev1.LabelNodeType)
		node.Spec.Taints = nil
		if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create node: %w", err)
		}
	}
	priority := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 7}
	if _, err := client.SchedulingV1().PriorityClasses().Create(ctx, priority, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create priority class: %w", err)
	}
	storage := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "fast"}, Provisioner: "example.com/real"}
	if _, err := client.StorageV1().StorageClasses().Create(ctx, storage, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create storage class: %w", err)
	}
	disk := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "disk"},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: "fast", AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/data"}},
		},
	}
	if _, err := client.CoreV1().PersistentVolumes().Create(ctx, disk, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create volume: %w", err)
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create cluster role: %w", err)
	}
	return nil
}

func shop() *appsv1.Deployment {
	labels := map[string]string{"app": "shop"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "nginx"}}},
			},
		},
	}
}

// reference returns an owner reference to something outside.
func (o *Outside) reference(c chooser) map[string]any {
	return pick(c, []map[string]any{
		{"apiVersion": "v1", "kind": "ConfigMap", "name": "settings", "uid": string(o.ConfigMap), "blockOwnerDeletion": true},
		{"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "uid": string(o.Deployment), "controller": true},
		{"apiVersion": "v1", "kind": "Node", "name": "../../real-0", "uid": "x"},
		{"apiVersion": "simkube.io/v1", "kind": "SimulationRoot", "name": "other-root", "uid": "y"},
	})
}
