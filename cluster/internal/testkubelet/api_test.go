package testkubelet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestPod_Rights checks that a program in a pod may do what its service account may, and no more.
func TestPod_Rights(t *testing.T) {
	namespace := newNamespace(t)
	lister := func(c *corev1.Container) {
		c.Image, c.Command, c.Args = self, nil, []string{"$(NAMESPACE)"}
		c.Env = []corev1.EnvVar{
			{Name: roleVariable, Value: roleLister},
			{Name: "NAMESPACE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}}},
		}
	}
	create(t, namespace, "forbidden", script("", lister))
	if pod := waitForPod(t, namespace, "forbidden", func(p *corev1.Pod) bool { return terminal(p.Status.Phase) }); pod.Status.Phase != corev1.PodFailed {
		t.Error("it may do what is not allowed")
	}
	if got := env.kubelet.Logs(namespace, "forbidden"); !strings.Contains(got, `User "system:serviceaccount:`+namespace+`:default" cannot list`) {
		t.Errorf("it printed %q", got)
	}
	create(t, namespace, "outside", script("", lister), func(p *corev1.Pod) { p.Spec.AutomountServiceAccountToken = new(false) })
	waitForPod(t, namespace, "outside", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })

	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "lister"}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"}}}}
	if _, err := env.client.RbacV1().Roles(namespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "lister"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "lister"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "default", Namespace: namespace}},
	}
	if _, err := env.client.RbacV1().RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	create(t, namespace, "allowed", script("", lister), func(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure })
	waitForPod(t, namespace, "allowed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
	if got := env.kubelet.Logs(namespace, "allowed"); !strings.HasSuffix(got, "found 1\n") { // kube-root-ca.crt
		t.Errorf("it printed %q", got)
	}
}

// TestWebhook has the API server call a webhook in a pod, at the address of the pod.
func TestWebhook(t *testing.T) {
	namespace := newNamespace(t)
	certificate, key := certificateFor(t, "webhook."+namespace+".svc")
	createSecret(t, namespace, "certs", map[string]string{"tls.crt": certificate, "tls.key": key})
	port := freePort(t)
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("https"), Scheme: corev1.URISchemeHTTPS}}}
	create(t, namespace, "webhook", script("", func(c *corev1.Container) {
		c.Image, c.Command = self, nil
		c.Args = []string{":" + strconv.Itoa(port), "/certs/tls.crt", "/certs/tls.key"}
		c.Env = []corev1.EnvVar{{Name: roleVariable, Value: roleWebhook}}
		c.Ports = []corev1.ContainerPort{{Name: "https", ContainerPort: int32(port)}}
		c.ReadinessProbe = probe
		c.VolumeMounts = []corev1.VolumeMount{{Name: "certs", MountPath: "/certs"}}
	}), func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": "webhook"}
		p.Spec.Volumes = []corev1.Volume{{Name: "certs", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "certs"}}}}
	})
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "webhook"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "webhook"}, Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromString("https")}}},
	}
	if _, err := env.client.CoreV1().Services(namespace).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	waitForPod(t, namespace, "webhook", ready)
	none, fail := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Fail
	configuration := &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "test.simkube.io", SideEffects: &none, FailurePolicy: &fail, AdmissionReviewVersions: []string{"v1"},
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				CABundle: []byte(certificate), Service: &admissionregistrationv1.ServiceReference{Namespace: namespace, Name: "webhook"},
			},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"configmaps"}},
			}},
		}},
	}
	configurations := env.client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	if _, err := configurations.Create(t.Context(), configuration, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	last := ""
	eventually(t, "an object that the webhook has seen", func() bool {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "seen-"}}
		made, err := env.client.CoreV1().ConfigMaps(namespace).Create(t.Context(), object, metav1.CreateOptions{})
		if err != nil && err.Error() != last { // the Service has no endpoint yet
			last = err.Error()
			t.Log(last)
		}
		return err == nil && made.Data["seen"] == "yes"
	})
	remove(t, namespace, "webhook", 0)
	eventually(t, "objects to be refused", func() bool {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "unseen-"}}
		_, err := env.client.CoreV1().ConfigMaps(namespace).Create(t.Context(), object, metav1.CreateOptions{})
		return err != nil && strings.Contains(err.Error(), "failed calling webhook")
	})
	if err := configurations.Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(env.kubelet.Address(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// certificateFor returns a self-signed certificate.
func certificateFor(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}))
}
