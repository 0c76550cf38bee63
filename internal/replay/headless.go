package replay

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var serviceKind = schema.GroupKind{Kind: "Service"}

// errHeadless is why a headless Service is created again.
var errHeadless = errors.New("a headless Service cannot get an address")

// isHeadless reports whether a manifest is that of a headless Service, and whether the Service has
// or gets an address of the cluster.
func isHeadless(body []byte) (headless, addressed bool) {
	object, err := decode(body)
	if err != nil {
		return false, false
	}
	spec, _ := object.Object["spec"].(map[string]any)
	headless = spec["clusterIP"] == corev1.ClusterIPNone
	return headless, !headless && spec["type"] != string(corev1.ServiceTypeExternalName)
}

// endsHeadless reports whether a task gives an address to a headless Service that exists. An API
// server accepts that, because the recorded address is not part of the manifest, but leaves the
// Service headless.
func (t *task) endsHeadless(ctx context.Context, at place) (bool, error) {
	if t.key.kind != serviceKind || t.former.why != nil || !t.r.made.isHeadless(t.key) {
		return false, nil
	}
	if _, addressed := isHeadless(t.body); !addressed {
		return false, nil
	}
	_, err := t.r.target.get(ctx, at)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
