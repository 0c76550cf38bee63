package truth

// neverRun is how many pods can't run as the manifests ask for, by set and owner.
var neverRun = map[string]expected{
	"examples-misc": {
		"DaemonSet default/newrelic-infra-agent": perNode, // current versions do not serve its kind
	},
	"refused": {
		"Deployment limited/four":    2,       // the quota has room for two
		"StatefulSet limited/class":  1,       // its priority class does not exist
		"DaemonSet restricted/agent": perNode, // pod security refuses it
		"Job restricted/job":         2,       // and this one
	},
}

// ownNodes are the sets whose pods select nodes that other pods do not fit, such as those of
// another operating system: a DaemonSet of another set has no pods there.
var ownNodes = map[string]bool{"agents": true, "nvidia": true}

// adopt are the owners whose selector matches a pod of the same set that has no owner: whether they
// adopt that or make one of their own depends on which is there first.
var adopt = map[string][]string{
	"legacy-rc": {"ReplicationController default/redis-sentinel", "ReplicationController default/redis"},
}

// deviations are the deviations that are known, by set and by category and subject: a part of the
// reason.
var deviations = map[string]map[string]string{
	"cockroachdb":   {"unknownKind policy/v1beta1.PodDisruptionBudget": "no matches for kind"},
	"examples-misc": {"unknownKind extensions/v1beta1.DaemonSet": "no matches for kind"},
	"gatekeeper": {
		"leftOut admissionregistration.k8s.io/v1.MutatingWebhookConfiguration":   "the servers that they call do not run",
		"leftOut admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration": "the servers that they call do not run",
	},
	"istio":           {"leftOut admissionregistration.k8s.io/v1.MutatingWebhookConfiguration": "the servers that they call do not run"},
	"kube-prometheus": {"leftOut apiregistration.k8s.io/v1.APIService": "the servers of aggregated APIs do not run"},
	"policies": {
		"leftOut admissionregistration.k8s.io/v1.MutatingWebhookConfiguration":   "the servers that they call do not run",
		"leftOut admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration": "the servers that they call do not run",
		"leftOut apiregistration.k8s.io/v1.APIService":                           "the servers of aggregated APIs do not run",
	},
	"refused": {
		"notCreated DaemonSet restricted/agent": "violates PodSecurity",
		"notCreated Deployment limited/four":    "exceeded quota",
		"notCreated Job restricted/job":         "violates PodSecurity",
		"notCreated StatefulSet limited/class":  "no PriorityClass with name does-not-exist was found",
	},
	"vllm-hpa": {"leftOut apiregistration.k8s.io/v1.APIService": "the servers of aggregated APIs do not run"},
}
