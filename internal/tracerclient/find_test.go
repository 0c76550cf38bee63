package tracerclient

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestFind(t *testing.T) {
	service := func(namespace, name string, ports ...corev1.ServicePort) corev1.Service {
		return corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec:       corev1.ServiceSpec{Selector: map[string]string{"app.kubernetes.io/name": "sk-tracer"}, Ports: ports},
		}
	}
	named := corev1.ServicePort{Port: 7777, TargetPort: intstr.FromString("http")}
	other := corev1.ServicePort{Port: 80, TargetPort: intstr.FromInt32(8080)}
	ready := newPod("simkube", "a", corev1.PodRunning, corev1.ConditionTrue)
	unready := newPod("simkube", "b", corev1.PodRunning, corev1.ConditionFalse)
	pending := newPod("simkube", "c", corev1.PodPending, corev1.ConditionFalse)
	elsewhere := newPod("tools", "d", corev1.PodRunning, corev1.ConditionTrue)
	ending := newPod("simkube", "e", corev1.PodRunning, corev1.ConditionTrue)
	ending.DeletionTimestamp = &metav1.Time{}
	for name, tc := range map[string]struct {
		services []corev1.Service
		pods     []corev1.Pod
		where    Where
		want     Pod
		wantErr  string
		noTracer bool
	}{
		"behind its service": {
			services: []corev1.Service{service("simkube", "sk-tracer", other, named)}, pods: []corev1.Pod{unready, ready, pending, elsewhere, ending},
			want: Pod{"simkube", "a", 7780, true},
		},
		"a port of another number": {
			services: []corev1.Service{service("simkube", "sk-tracer", other)}, pods: []corev1.Pod{ready},
			want: Pod{"simkube", "a", 8080, true},
		},
		"a port without a target": {
			services: []corev1.Service{service("simkube", "sk-tracer", corev1.ServicePort{Port: 80})}, pods: []corev1.Pod{ready},
			want: Pod{"simkube", "a", 80, true},
		},
		"another service": {
			services: []corev1.Service{service("tools", "recorder", named)}, pods: []corev1.Pod{elsewhere}, where: Where{"tools", "recorder"},
			want: Pod{"tools", "d", 7780, true},
		},
		"not ready":              {pods: []corev1.Pod{pending, unready}, want: Pod{"simkube", "b", 7780, true}},
		"without a service":      {pods: []corev1.Pod{ready}, want: Pod{"simkube", "a", 7780, true}},
		"somewhere":              {pods: []corev1.Pod{elsewhere}, want: Pod{"tools", "d", 7780, false}},
		"where it should be":     {pods: []corev1.Pod{ready, elsewhere}, where: Where{Namespace: "tools"}, want: Pod{"tools", "d", 7780, true}},
		"several":                {pods: []corev1.Pod{elsewhere, ready}, wantErr: "there are tracers in 2 namespaces: simkube, tools"},
		"none":                   {wantErr: "no tracer: there is no pod with the label app.kubernetes.io/name=sk-tracer in any namespace", noTracer: true},
		"none there":             {pods: []corev1.Pod{ready}, where: Where{Namespace: "tools"}, wantErr: "no tracer: there is no pod with the label app.kubernetes.io/name=sk-tracer in the namespace tools", noTracer: true},
		"none runs":              {pods: []corev1.Pod{pending}, wantErr: "no tracer: the pod simkube/c with the label app.kubernetes.io/name=sk-tracer in any namespace is Pending", noTracer: true},
		"no such service":        {pods: []corev1.Pod{ready}, where: Where{Service: "recorder"}, wantErr: "no tracer: look for the service simkube/recorder: notfound", noTracer: true},
		"a service without pods": {services: []corev1.Service{service("simkube", "sk-tracer", named)}, pods: []corev1.Pod{elsewhere}, wantErr: "no tracer: there is no pod of the service simkube/sk-tracer", noTracer: true},
		"a service without port": {services: []corev1.Service{service("simkube", "sk-tracer")}, wantErr: "no tracer: the service simkube/sk-tracer selects no pods, or has no port", noTracer: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cluster{services: tc.services, pods: tc.pods}
			_, client := c.start(t)
			got, err := Find(t.Context(), client, tc.where)
			if tc.wantErr != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tc.wantErr) || errors.Is(err, ErrNoTracer) != tc.noTracer {
					t.Errorf("Find = %+v, %v, want the error %q, which is ErrNoTracer: %t", got, err, tc.wantErr, tc.noTracer)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("Find = %+v, %v, want %+v", got, err, tc.want)
			}
		})
	}
}
