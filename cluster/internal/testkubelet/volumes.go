package testkubelet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// makeVolumes creates all volumes of the pod, and its kubeconfig, and returns where they are. It
// may be called again.
func (w *worker) makeVolumes(ctx context.Context) (map[string]string, error) {
	volumes := map[string]string{}
	for i := range w.latest().Spec.Volumes {
		volume := &w.latest().Spec.Volumes[i]
		path, err := w.makeVolume(ctx, volume)
		if err != nil {
			return nil, fmt.Errorf("MountVolume.SetUp failed for volume %q: %w", volume.Name, err)
		}
		volumes[volume.Name] = path
	}
	if err := w.writeKubeconfig(ctx); err != nil {
		return nil, fmt.Errorf("write kubeconfig: %w", err)
	}
	return volumes, nil
}

func (w *worker) makeVolume(ctx context.Context, volume *corev1.Volume) (string, error) {
	dir := filepath.Join(w.dir, "volumes", volume.Name)
	if volume.HostPath != nil {
		return checkHostPath(volume.HostPath)
	}
	if claim := volume.PersistentVolumeClaim; claim != nil {
		return w.claimed(ctx, claim.ClaimName)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	switch {
	case volume.EmptyDir != nil:
		return dir, nil
	case volume.Secret != nil:
		values, err := w.secret(ctx, volume.Secret.SecretName, volume.Secret.Optional)
		if err != nil {
			return "", err
		}
		return dir, writeItems(dir, values, volume.Secret.Items, volume.Secret.Optional)
	case volume.ConfigMap != nil:
		values, err := w.configMap(ctx, volume.ConfigMap.Name, volume.ConfigMap.Optional)
		if err != nil {
			return "", err
		}
		return dir, writeItems(dir, values, volume.ConfigMap.Items, volume.ConfigMap.Optional)
	case volume.Projected != nil:
		for i := range volume.Projected.Sources {
			if err := w.project(ctx, dir, &volume.Projected.Sources[i]); err != nil {
				return "", err
			}
		}
		return dir, nil
	}
	return "", errors.New("this kubelet knows no such volume")
}

func (w *worker) project(ctx context.Context, dir string, source *corev1.VolumeProjection) error {
	switch {
	case source.Secret != nil:
		values, err := w.secret(ctx, source.Secret.Name, source.Secret.Optional)
		if err != nil {
			return err
		}
		return writeItems(dir, values, source.Secret.Items, source.Secret.Optional)
	case source.ConfigMap != nil:
		values, err := w.configMap(ctx, source.ConfigMap.Name, source.ConfigMap.Optional)
		if err != nil {
			return err
		}
		return writeItems(dir, values, source.ConfigMap.Items, source.ConfigMap.Optional)
	case source.ServiceAccountToken != nil:
		token, err := w.token(ctx, source.ServiceAccountToken.Audience)
		if err != nil {
			return err
		}
		return writeFile(dir, source.ServiceAccountToken.Path, token)
	case source.DownwardAPI != nil:
		for _, item := range source.DownwardAPI.Items {
			if item.FieldRef == nil {
				return fmt.Errorf("%s: this kubelet knows fields only", item.Path)
			}
			value, err := w.field(w.latest(), item.FieldRef.FieldPath)
			if err != nil {
				return err
			}
			if err := writeFile(dir, item.Path, value); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("this kubelet knows no such projection")
}

// writeItems writes all values, or the selected ones.
func writeItems(dir string, values map[string]string, items []corev1.KeyToPath, optional *bool) error {
	if items == nil {
		for key := range values {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		value, ok := values[item.Key]
		if !ok && !isTrue(optional) {
			return fmt.Errorf("references non-existent key %q", item.Key)
		}
		if err := writeFile(dir, item.Path, value); ok && err != nil {
			return err
		}
	}
	return nil
}

func writeFile(dir, path, value string) error {
	path = filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(value), 0o600)
}

// checkHostPath checks that the path is of the type that the volume requires.
func checkHostPath(source *corev1.HostPathVolumeSource) (string, error) {
	kind := corev1.HostPathUnset
	if source.Type != nil {
		kind = *source.Type
	}
	if kind == corev1.HostPathDirectoryOrCreate {
		return source.Path, os.MkdirAll(source.Path, 0o700)
	}
	info, err := os.Stat(source.Path)
	switch {
	case kind == corev1.HostPathUnset && errors.Is(err, os.ErrNotExist):
		return source.Path, os.MkdirAll(source.Path, 0o700)
	case err != nil && (kind == corev1.HostPathFile || kind == corev1.HostPathDirectory):
		return "", fmt.Errorf("hostPath type check failed: %s is not a %s", source.Path, kind)
	case err != nil:
		return "", err
	case kind == corev1.HostPathFile && !info.Mode().IsRegular(), kind == corev1.HostPathDirectory && !info.IsDir():
		return "", fmt.Errorf("hostPath type check failed: %s is not a %s", source.Path, kind)
	}
	return source.Path, nil
}

// claimed returns the path of the volume that a claim is bound to, which must be a folder of this
// machine.
func (w *worker) claimed(ctx context.Context, name string) (string, error) {
	claim, err := w.k.client.CoreV1().PersistentVolumeClaims(w.latest().Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	volume, err := w.k.client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || claim.Spec.VolumeName == "" {
		return "", fmt.Errorf("the claim %s is not bound to a volume", name)
	}
	if err != nil {
		return "", err
	}
	if volume.Spec.HostPath == nil {
		return "", fmt.Errorf("the volume %s has no hostPath, and this kubelet knows no other", volume.Name)
	}
	return checkHostPath(volume.Spec.HostPath)
}

func accountOf(pod *corev1.Pod) string { return cmp.Or(pod.Spec.ServiceAccountName, "default") }
