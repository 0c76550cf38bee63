package objects

import (
	"cmp"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

const (
	webhookName = "mutatepods.simkube.io"
	webhookPath = "/mutate"
	// webhookTimeout is in seconds. A review takes milliseconds, but longer on an overcommitted node.
	webhookTimeout = 10
	// injectAnnotation makes cert-manager write the CA of a Certificate into the webhook.
	injectAnnotation = "cert-manager.io/inject-ca-from"
)

// Webhook returns a configuration that makes API servers send simulated pods to the driver. It
// matches only the pods of this simulation, by labels and by the names of namespaces, so that other
// pods do not depend on the driver. Without caBundle, cert-manager fills it in.
//
// It has no owner: it must outlive everything that may create simulated pods, which the garbage
// collector does not know. Fields that API servers would set to defaults are all set, so that a
// difference means that somebody changed the webhook.
func Webhook(sim *simkubev1.Simulation, caBundle []byte) *admissionv1.MutatingWebhookConfiguration {
	driver := sim.Spec.Driver
	selector := simkubev1.SimulatedLabels(sim.Name)
	prefix := cmp.Or(driver.VirtualNsPrefix, simkubev1.DefaultVirtualNsPrefix)
	config := &admissionv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{
			Name: simkubev1.MutatingWebhookName(sim.Name), Labels: simulationLabels(sim), Annotations: map[string]string{AnnotationUID: string(sim.UID)},
		},
		Webhooks: []admissionv1.MutatingWebhook{{
			Name: webhookName,
			ClientConfig: admissionv1.WebhookClientConfig{
				Service: &admissionv1.ServiceReference{
					Namespace: driver.Namespace, Name: simkubev1.DriverServiceName(sim.Name),
					Path: new(webhookPath), Port: new(driver.Port),
				},
				CABundle: caBundle,
			},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule: admissionv1.Rule{
					APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"},
					Scope: new(admissionv1.NamespacedScope),
				},
			}},
			FailurePolicy:           new(admissionv1.Fail),
			MatchPolicy:             new(admissionv1.Equivalent),
			NamespaceSelector:       matchLabels(selector),
			ObjectSelector:          &metav1.LabelSelector{},
			MatchConditions:         []admissionv1.MatchCondition{{Name: "virtual-namespace", Expression: fmt.Sprintf("request.namespace.startsWith('%s-')", prefix)}},
			SideEffects:             new(admissionv1.SideEffectClassNoneOnDryRun),
			TimeoutSeconds:          new(int32(webhookTimeout)),
			AdmissionReviewVersions: []string{"v1"},
			ReinvocationPolicy:      new(admissionv1.NeverReinvocationPolicy),
		}},
	}
	config.SetGroupVersionKind(admissionv1.SchemeGroupVersion.WithKind("MutatingWebhookConfiguration"))
	if sim.Spec.Driver.CertManagerIssuer != nil {
		config.Annotations[injectAnnotation] = driver.Namespace + "/" + simkubev1.DriverCertSecret
	}
	return config
}
