package mutate

import (
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// changes applies changes to a pod, and stores whether there were any.
type changes struct {
	pod  *corev1.Pod
	made bool
}

func (c *changes) label(key, value string) {
	if c.pod.Labels == nil {
		c.pod.Labels = map[string]string{}
	}
	c.set(c.pod.Labels, key, value)
}

func (c *changes) annotate(key, value string) {
	if c.pod.Annotations == nil {
		c.pod.Annotations = map[string]string{}
	}
	c.set(c.pod.Annotations, key, value)
}

func (c *changes) set(in map[string]string, key, value string) {
	if old, ok := in[key]; ok && old == value {
		return
	}
	in[key] = value
	c.made = true
}

// unbind removes a node name, which would bypass the scheduler.
func (c *changes) unbind() {
	if c.pod.Spec.NodeName != "" {
		c.pod.Spec.NodeName = ""
		c.made = true
	}
}

// place restricts the pod to simulated nodes. Its other requirements are kept, but a recorded node
// selector for the label `type` is overwritten.
func (c *changes) place() {
	spec := &c.pod.Spec
	if spec.NodeSelector == nil {
		spec.NodeSelector = map[string]string{}
	}
	c.set(spec.NodeSelector, simkubev1.LabelNodeType, simkubev1.NodeTypeVirtual)
	if toleration := Toleration(); !slices.Contains(spec.Tolerations, toleration) {
		spec.Tolerations = append(spec.Tolerations, toleration)
		c.made = true
	}
}

// Toleration returns the toleration that allows pods on simulated nodes.
func Toleration() corev1.Toleration {
	return corev1.Toleration{
		Key:      simkubev1.TaintKwokProvider,
		Operator: corev1.TolerationOpExists,
		Effect:   corev1.TaintEffectNoSchedule,
	}
}

// trackingOf returns the hash and the number that a pod already has.
func trackingOf(pod *corev1.Pod) (hash uint64, number int, ok bool) {
	hash, err := strconv.ParseUint(pod.Annotations[simkubev1.AnnotationPodSpecStableHash], 10, 64)
	if err != nil {
		return 0, 0, false
	}
	number, err = strconv.Atoi(pod.Annotations[simkubev1.AnnotationPodSequenceNumber])
	return hash, number, err == nil && number >= 0
}

func (c *changes) trackAs(hash uint64, number int) {
	c.annotate(simkubev1.AnnotationPodSpecStableHash, strconv.FormatUint(hash, 10))
	c.annotate(simkubev1.AnnotationPodSequenceNumber, strconv.Itoa(number))
}

// delay sets the delays of the pod's start. A jitter has no effect without a delay, so a delay of 0
// is set with it.
func (m *Mutator) delay(c *changes) {
	d := m.cfg.Delays
	for _, one := range []struct {
		delay, jitter       time.Duration
		delayKey, jitterKey string
	}{
		{d.ImagePull, d.ImagePullJitter, simkubev1.AnnotationStageCreateDelay, simkubev1.AnnotationStageCreateDelayJitter},
		{d.PodStartup, d.PodStartupJitter, simkubev1.AnnotationStageReadyDelay, simkubev1.AnnotationStageReadyDelayJitter},
	} {
		delay := max(0, one.delay)
		jitters := one.jitter > delay
		if delay > 0 || jitters {
			c.annotate(one.delayKey, m.scaled(delay).String())
		}
		if jitters {
			c.annotate(one.jitterKey, m.scaled(one.jitter).String())
		}
	}
}

// end sets when the pod ends, unless it is set already. The label says how.
func (m *Mutator) end(c *changes, label string, ran time.Duration) {
	c.label(label, "true")
	if c.pod.Annotations[simkubev1.AnnotationStageCompleteTime] != "" {
		return
	}
	ran = m.scaled(ran)
	c.annotate(simkubev1.AnnotationStageCompleteAfter, ran.String())
	c.annotate(simkubev1.AnnotationStageCompleteTime, m.cfg.Clock.Now().Add(ran).UTC().Format(time.RFC3339Nano))
}

// scaled converts a duration from trace time to clock time.
func (m *Mutator) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / m.cfg.Speed)
}
