package objects

import (
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	simkubev1 "simkube.io/simkube/api/v1"
)

const (
	// jobNameLabel is the label of a Job's pods that existing scripts use.
	jobNameLabel = "job-name"
	// BackoffLimit is how often a driver is restarted.
	BackoffLimit = 6

	driverUser      = 65532
	driverContainer = "driver"
)

// The volumes of a driver's pod. The kubelet names them in its events.
const (
	VolumeCertificate = "certificate"
	VolumeTrace       = "trace"
	VolumeResults     = "results"
	volumeTemp        = "tmp"
)

// Driver configures the pods of drivers.
type Driver struct {
	// ControllerNamespace is the namespace of the lease that drivers renew.
	ControllerNamespace string
	// ServiceAccount is the service account of drivers.
	ServiceAccount string
}

// DriverPods returns the labels that select the pods of a simulation's driver.
func DriverPods(simulation string) map[string]string {
	return map[string]string{jobNameLabel: simkubev1.DriverName(simulation)}
}

// Job returns the driver's job, which replays the trace and is restarted if it exits early.
// [TracePath] must accept the simulation's trace.
func Job(sim *simkubev1.Simulation, root *simkubev1.SimulationRoot, driver Driver) *batchv1.Job {
	meta := owned(simkubev1.DriverName(sim.Name), sim.Spec.Driver.Namespace, simulationLabels(sim), root)
	job := &batchv1.Job{
		ObjectMeta: meta,
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(BackoffLimit)),
			// Two drivers at once would interfere with each other.
			PodReplacementPolicy: new(batchv1.Failed),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{
					Labels: driverLabels(sim),
					// A driver that is evicted starts again, which distorts the figures of its run.
					Annotations: map[string]string{
						"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
						"karpenter.sh/do-not-disrupt":                    "true",
					},
				},
				Spec: podSpec(sim, driver),
			},
		},
	}
	job.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
	return job
}

func podSpec(sim *simkubev1.Simulation, driver Driver) corev1.PodSpec {
	volumes, mounts := volumes(sim)
	return corev1.PodSpec{
		RestartPolicy:      corev1.RestartPolicyOnFailure,
		ServiceAccountName: driver.ServiceAccount,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(int64(driverUser)), RunAsGroup: new(int64(driverUser)),
			FSGroup: new(int64(driverUser)), FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Affinity:   realNodes(),
		Containers: []corev1.Container{container(sim, driver, mounts)},
		Volumes:    volumes,
	}
}

func container(sim *simkubev1.Simulation, driver Driver, mounts []corev1.VolumeMount) corev1.Container {
	port, metrics := sim.Spec.Driver.Port, int32(MetricsPort)
	args := []string{
		"--sim-name", sim.Name,
		"--controller-ns", driver.ControllerNamespace,
		"--admission-webhook-port", strconv.Itoa(int(port)),
		"--cert-path", tlsFolder + "/" + corev1.TLSCertKey,
		"--key-path", tlsFolder + "/" + corev1.TLSPrivateKeyKey,
		"--trace-path", sim.Spec.Driver.TracePath,
	}
	if port == metrics {
		metrics++
		args = append(args, "--metrics-port", strconv.Itoa(int(metrics)))
	}
	c := corev1.Container{
		Name:  driverContainer,
		Image: sim.Spec.Driver.Image,
		Args:  append(args, sim.Spec.Driver.Args...),
		Env:   []corev1.EnvVar{fieldEnv("DRIVER_NAME", "metadata.name"), fieldEnv("POD_NAMESPACE", "metadata.namespace")},
		Ports: []corev1.ContainerPort{
			{Name: "webhook", ContainerPort: port, Protocol: corev1.ProtocolTCP},
			{Name: "metrics", ContainerPort: metrics, Protocol: corev1.ProtocolTCP},
		},
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: resource.MustParse("512Mi"),
		}},
		ReadinessProbe: probe("/readyz", port, 2, 3),
		LivenessProbe:  probe("/healthz", port, 10, 6),
		VolumeMounts:   mounts,
		// The termination message is all that is left of the driver's output after the clean-up.
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
	for _, secret := range sim.Spec.Driver.Secrets {
		c.EnvFrom = append(c.EnvFrom, corev1.EnvFromSource{
			SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: secret}},
		})
	}
	return c
}

// realNodes keeps the driver off simulated nodes, which do not run containers.
func realNodes() *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: simkubev1.LabelNodeType, Operator: corev1.NodeSelectorOpNotIn, Values: []string{simkubev1.NodeTypeVirtual},
				}},
			}},
		},
	}}
}

func fieldEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}}
}

func probe(path string, port, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromInt32(port), Scheme: corev1.URISchemeHTTPS,
		}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}
