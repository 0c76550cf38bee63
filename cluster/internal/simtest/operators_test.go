package simtest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// operatorKinds are the kinds of cert-manager and the Prometheus operator that the manifests and
// sk-ctrl use, without their schemas.
func operatorKinds() string {
	var text strings.Builder
	for _, kind := range []struct{ group, plural, kind, scope string }{
		{"cert-manager.io", "certificates", "Certificate", "Namespaced"},
		{"cert-manager.io", "clusterissuers", "ClusterIssuer", "Cluster"},
		{"monitoring.coreos.com", "prometheuses", "Prometheus", "Namespaced"},
		{"monitoring.coreos.com", "podmonitors", "PodMonitor", "Namespaced"},
		{"monitoring.coreos.com", "servicemonitors", "ServiceMonitor", "Namespaced"},
	} {
		fmt.Fprintf(&text, `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[2]s.%[1]s}
spec:
  group: %[1]s
  scope: %[4]s
  names: {plural: %[2]s, singular: %[5]s, kind: %[3]s}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    subresources: {status: {}}
`, kind.group, kind.plural, kind.kind, kind.scope, strings.ToLower(kind.kind))
	}
	return text.String()
}

// playOperators does what cert-manager and the Prometheus operator do for simulations, until ctx is
// cancelled.
func playOperators(ctx context.Context, log io.Writer) {
	_ = wait.PollUntilContextCancel(ctx, pollPeriod, true, func(ctx context.Context) (bool, error) {
		if err := errors.Join(issueCertificates(ctx), injectAuthorities(ctx), acceptPrometheuses(ctx)); err != nil && ctx.Err() == nil {
			fmt.Fprintln(log, "played operator:", err)
		}
		return false, nil
	})
}

// issueCertificates creates the Secrets of Certificates.
func issueCertificates(ctx context.Context) error {
	orders := listOf("cert-manager.io", "Certificate")
	if err := env.client.List(ctx, orders); err != nil {
		return err
	}
	for i := range orders.Items {
		order := &orders.Items[i]
		name, _, _ := unstructured.NestedString(order.Object, "spec", "secretName")
		names, _, _ := unstructured.NestedStringSlice(order.Object, "spec", "dnsNames")
		err := env.client.Get(ctx, client.ObjectKey{Namespace: order.GetNamespace(), Name: name}, &corev1.Secret{})
		if !apierrors.IsNotFound(err) {
			if err != nil {
				return err
			}
			continue
		}
		certificate, key, err := selfSigned(names)
		if err != nil {
			return err
		}
		err = env.client.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: order.GetNamespace(), Name: name, Annotations: map[string]string{"cert-manager.io/certificate-name": order.GetName()}},
			Type:       corev1.SecretTypeTLS,
			Data:       map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key, "ca.crt": certificate},
		})
		if err != nil {
			return err
		}
		if err := setStatus(ctx, order, "Ready"); err != nil {
			return err
		}
	}
	return nil
}

// injectAuthorities sets the CA bundle of webhooks that ask for it.
func injectAuthorities(ctx context.Context) error {
	configurations := &admissionv1.MutatingWebhookConfigurationList{}
	if err := env.client.List(ctx, configurations); err != nil {
		return err
	}
	for i := range configurations.Items {
		configuration := &configurations.Items[i]
		space, name, found := strings.Cut(configuration.Annotations["cert-manager.io/inject-ca-from"], "/")
		if !found {
			continue
		}
		secret := &corev1.Secret{}
		if err := env.client.Get(ctx, client.ObjectKey{Namespace: space, Name: name}, secret); err != nil {
			return client.IgnoreNotFound(err)
		}
		changed := false
		for j := range configuration.Webhooks {
			bundle := &configuration.Webhooks[j].ClientConfig.CABundle
			changed = changed || !bytes.Equal(*bundle, secret.Data["ca.crt"])
			*bundle = secret.Data["ca.crt"]
		}
		if changed {
			if err := env.client.Update(ctx, configuration); err != nil {
				return client.IgnoreNotFound(err)
			}
		}
	}
	return nil
}

// acceptPrometheuses reports that they are available.
func acceptPrometheuses(ctx context.Context) error {
	prometheuses := listOf("monitoring.coreos.com", "Prometheus")
	if err := env.client.List(ctx, prometheuses); err != nil {
		return err
	}
	for i := range prometheuses.Items {
		if _, has := prometheuses.Items[i].Object["status"]; has {
			continue
		}
		if err := setStatus(ctx, &prometheuses.Items[i], "Available"); err != nil {
			return err
		}
	}
	return nil
}

func listOf(group, kind string) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind + "List"})
	return list
}

func setStatus(ctx context.Context, object *unstructured.Unstructured, condition string) error {
	object.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": condition, "status": "True"}}}
	return client.IgnoreNotFound(env.client.Status().Update(ctx, object))
}

// selfSigned returns a self-signed certificate.
func selfSigned(names []string) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "played cert-manager"}, DNSNames: names, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}), nil
}
