package testkubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// environment returns the container's environment according to its spec. Later variables override
// earlier ones.
func (c *container) environment(ctx context.Context, paths mounts) (map[string]string, error) {
	pod := c.w.latest()
	env := map[string]string{}
	for _, from := range c.spec.EnvFrom {
		var values map[string]string
		var err error
		switch {
		case from.SecretRef != nil:
			values, err = c.w.secret(ctx, from.SecretRef.Name, from.SecretRef.Optional)
		case from.ConfigMapRef != nil:
			values, err = c.w.configMap(ctx, from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
		}
		if err != nil {
			return nil, err
		}
		for name, value := range values {
			env[from.Prefix+name] = value
		}
	}
	mapping := expansion.MappingFuncFor(env)
	for _, variable := range c.spec.Env {
		value := paths.rewrite(expansion.Expand(variable.Value, mapping))
		if variable.ValueFrom != nil {
			var set bool
			var err error
			if value, set, err = c.w.valueFrom(ctx, pod, variable.ValueFrom); err != nil {
				return nil, fmt.Errorf("environment variable %s: %w", variable.Name, err)
			} else if !set {
				continue
			}
		}
		env[variable.Name] = value
	}
	return env, nil
}

func (w *worker) valueFrom(ctx context.Context, pod *corev1.Pod, from *corev1.EnvVarSource) (value string, set bool, err error) {
	var values map[string]string
	var key string
	var optional *bool
	switch {
	case from.FieldRef != nil:
		value, err = w.field(pod, from.FieldRef.FieldPath)
		return value, err == nil, err
	case from.SecretKeyRef != nil:
		key, optional = from.SecretKeyRef.Key, from.SecretKeyRef.Optional
		values, err = w.secret(ctx, from.SecretKeyRef.Name, optional)
	case from.ConfigMapKeyRef != nil:
		key, optional = from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional
		values, err = w.configMap(ctx, from.ConfigMapKeyRef.Name, optional)
	default:
		return "", false, fmt.Errorf("this kubelet knows no such source: %v", from)
	}
	if err != nil {
		return "", false, err
	}
	value, set = values[key]
	if !set && !isTrue(optional) {
		return "", false, fmt.Errorf("there is no key %q", key)
	}
	return value, set, nil
}

// field returns a field of the pod, as the downward API does.
func (w *worker) field(pod *corev1.Pod, path string) (string, error) {
	switch path {
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return accountOf(pod), nil
	case "status.podIP", "status.hostIP", "status.podIPs", "status.hostIPs":
		return w.k.address, nil
	}
	return fieldpath.ExtractFieldPathAsString(pod, path)
}

// secret returns the data of a Secret; nothing if it is missing and optional.
func (w *worker) secret(ctx context.Context, name string, optional *bool) (map[string]string, error) {
	secret, err := w.k.client.CoreV1().Secrets(w.latest().Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && isTrue(optional) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for key, value := range secret.Data {
		values[key] = string(value)
	}
	return values, nil
}

// configMap returns the data of a ConfigMap; nothing if it is missing and optional.
func (w *worker) configMap(ctx context.Context, name string, optional *bool) (map[string]string, error) {
	object, err := w.k.client.CoreV1().ConfigMaps(w.latest().Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && isTrue(optional) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for key, value := range object.Data {
		values[key] = value
	}
	for key, value := range object.BinaryData {
		values[key] = string(value)
	}
	return values, nil
}

func isTrue(b *bool) bool { return b != nil && *b }
