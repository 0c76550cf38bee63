package test

import (
	"context"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"simkube.io/simkube/trace"
)

// leftOut returns objects that make an API server call the server at an address, or that break the
// discovery of kinds.
func leftOut(t *testing.T, address string) []trace.Object {
	t.Helper()
	const group = "admissionregistration.k8s.io/v1"
	named := func(apiVersion, kind, name string, fields map[string]any) trace.Object {
		fields["apiVersion"], fields["kind"], fields["metadata"] = apiVersion, kind, map[string]any{"name": name}
		return manifestOf(t, fields)
	}
	client := map[string]any{"url": "https://" + address + "/"}
	everything := []any{map[string]any{
		"apiGroups": []any{"*"}, "apiVersions": []any{"*"}, "resources": []any{"*"}, "operations": []any{"*"},
	}}
	webhooks := func() map[string]any {
		return map[string]any{"webhooks": []any{map[string]any{
			"name": "all.example.com", "admissionReviewVersions": []any{"v1"}, "sideEffects": "None", "failurePolicy": "Fail",
			"clientConfig": client, "rules": everything,
		}}}
	}
	version := func(name string, stored bool) map[string]any {
		return map[string]any{"name": name, "served": true, "storage": stored, "schema": map[string]any{
			"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
		}}
	}
	return append(
		nothingDeleted(t),
		named(group, "ValidatingWebhookConfiguration", "all", webhooks()),
		named(group, "MutatingWebhookConfiguration", "all", webhooks()),
		named("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", map[string]any{"spec": map[string]any{
			"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"insecureSkipTLSVerify": true, "service": map[string]any{"namespace": "kube-system", "name": "metrics-server"},
		}}),
		named("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", "exempt", map[string]any{"spec": map[string]any{}}),
		named("apiextensions.k8s.io/v1", "CustomResourceDefinition", "toys.example.com", map[string]any{"spec": map[string]any{
			"group": "example.com", "scope": "Namespaced", "names": map[string]any{"kind": "Toy", "plural": "toys", "singular": "toy", "listKind": "ToyList"},
			"versions":   []any{version("v1", true), version("v1beta1", false)},
			"conversion": map[string]any{"strategy": "Webhook", "webhook": map[string]any{"clientConfig": client, "conversionReviewVersions": []any{"v1"}}},
		}}),
	)
}

// What a simulation cannot serve is left out on both clocks: nothing is refused, a namespace can be
// deleted, and no port of this machine is reached.
func TestSimulate_LeavesOut(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int32
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			_ = conn.Close()
		}
	}()
	stop := context.AfterFunc(t.Context(), func() { _ = listener.Close() })
	t.Cleanup(func() { stop(); _ = listener.Close(); <-ended })

	namespace := func() trace.Object {
		return manifestOf(t, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "shop"}})
	}
	toy := manifestOf(t, map[string]any{
		"apiVersion": "example.com/v1beta1", "kind": "Toy", "metadata": map[string]any{"namespace": "shop", "name": "bear"},
	})
	file := written(
		t, trace.Event{Time: traceStart, Applied: append(leftOut(t, listener.Addr().String()), namespace(), deploymentOf(t, "shop", "web", 2))},
		trace.Event{Time: traceStart + 5, Applied: []trace.Object{toy}},
		trace.Event{Time: traceStart + 10, Deleted: []trace.Object{namespace()}},
		trace.Event{Time: traceStart + 25, Applied: []trace.Object{namespace(), deploymentOf(t, "shop", "web", 2)}},
	)
	for name, clock := range clocks {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.skctl(append([]string{"simulate", file, "-o", "out"}, clock...)...).check(t, done)
			got := summary(t, filepath.Join(s.dir, "out")).Outcome
			if got.Pods.Ran != 4 || got.Problems.Total != 0 {
				t.Errorf("got %d pods that ran and problems %+v, want 4 and none", got.Pods.Ran, got.Problems)
			}
			// The two configurations and the API. The policy is not about anything that controllers create.
			left := 0
			for _, deviation := range got.Deviations.First {
				if deviation.Category == "leftOut" {
					left++
				}
			}
			if left != 3 {
				t.Errorf("got deviations %+v, want 3 of what is left out", got.Deviations.First)
			}
			if n := calls.Load(); n > 0 {
				t.Errorf("a port of this machine was called %d times", n)
			}
		})
	}
}
