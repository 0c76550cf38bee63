package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	simkubev1 "simkube.io/simkube/api/v1"
)

// CertificateKind returns the kind of cert-manager's certificates.
func CertificateKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}
}

// CAKey is the key of a certificate's Secret that holds its CAs.
const CAKey = "ca.crt"

// ServerNames returns the DNS names of a driver's certificate: that of its Service, and a wildcard
// for the other drivers in the namespace, which share it.
func ServerNames(sim *simkubev1.Simulation) []string {
	suffix := "." + sim.Spec.Driver.Namespace + ".svc"
	return []string{simkubev1.DriverServiceName(sim.Name) + suffix, "*" + suffix}
}

// CertificateSecret returns the Secret for the controller's own certificate. The drivers of a
// namespace share it, so each one's root is among its owners.
func CertificateSecret(sim *simkubev1.Simulation, root *simkubev1.SimulationRoot, certPEM, keyPEM, caPEM []byte) *corev1.Secret {
	secret := &corev1.Secret{
		ObjectMeta: owned(simkubev1.DriverCertSecret, sim.Spec.Driver.Namespace, map[string]string{LabelManagedBy: ControllerName}, root),
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: certPEM, corev1.TLSPrivateKeyKey: keyPEM, CAKey: caPEM},
	}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}

// Certificate returns a request to cert-manager for a certificate.
func Certificate(sim *simkubev1.Simulation, root *simkubev1.SimulationRoot) *unstructured.Unstructured {
	names := []any{}
	for _, name := range ServerNames(sim) {
		names = append(names, name)
	}
	issuer := ""
	if sim.Spec.Driver.CertManagerIssuer != nil {
		issuer = *sim.Spec.Driver.CertManagerIssuer
	}
	certificate := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"secretName": simkubev1.DriverCertSecret,
			"dnsNames":   names,
			"issuerRef":  map[string]any{"kind": "ClusterIssuer", "name": issuer},
		},
	}}
	certificate.SetGroupVersionKind(CertificateKind())
	certificate.SetName(simkubev1.DriverCertSecret)
	certificate.SetNamespace(sim.Spec.Driver.Namespace)
	certificate.SetLabels(map[string]string{LabelManagedBy: ControllerName})
	certificate.SetOwnerReferences([]metav1.OwnerReference{Owner(root)})
	return certificate
}

func matchLabels(labels map[string]string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: labels}
}
