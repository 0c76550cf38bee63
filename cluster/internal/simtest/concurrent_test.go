package simtest

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller"
)

// maxConcurrent is how many tests run at once unless -parallel is set. They mostly wait.
const maxConcurrent = "5"

// concurrent is shared by the tests that run in parallel. They run after all others.
var concurrent struct {
	sync.Mutex
	// prefixes are those of the namespaces of their simulations, by the name of the test.
	prefixes map[string]string
	lease    *coordinationv1.Lease
	err      error
}

// setConcurrency sets -parallel, unless the command line does.
func setConcurrency() error {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if set {
		return nil
	}
	return flag.Set("test.parallel", maxConcurrent)
}

// concurrently runs the rest of the test in parallel with other tests that call it. When the test
// ends, it checks that nothing is left whose name, or namespace, has the prefix of the test's
// simulations. After the last test it is checked that the whole cluster is as before.
func concurrently(t *testing.T) {
	t.Helper()
	t.Parallel()
	prefix, err := join(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var left []string
		ctx := context.WithoutCancel(t.Context())
		err := wait.PollUntilContextTimeout(ctx, 4*pollPeriod, waitTime, true, func(ctx context.Context) (bool, error) {
			all, err := everything(ctx)
			maps.DeleteFunc(all, func(object string, _ bool) bool { return !strings.Contains(object, prefix) })
			left = all.without(nil)
			return err == nil && len(left) == 0, err
		})
		if err != nil {
			t.Errorf("wait until nothing is left of the simulations: %v\n%s", err, strings.Join(left, "\n"))
		}
	})
}

// join returns the prefix of a test. The first test to call it allows simulations to run at once.
func join(ctx context.Context, test string) (prefix string, err error) {
	concurrent.Lock()
	defer concurrent.Unlock()
	if concurrent.prefixes == nil {
		concurrent.prefixes = map[string]string{}
		concurrent.lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: simkubev1.LeaseName,
			Annotations: map[string]string{controller.AnnotationMaxSimulations: strconv.Itoa(100)},
		}}
		concurrent.err = env.client.Create(ctx, concurrent.lease)
	}
	if concurrent.err != nil {
		return "", fmt.Errorf("allow simulations to run at once: %w", concurrent.err)
	}
	// Kubernetes' random names have no 0, so no generated name contains it.
	prefix = fmt.Sprintf("v0%02d", len(concurrent.prefixes)+1)
	concurrent.prefixes[test] = prefix
	return prefix, nil
}

// ownPrefix returns the prefix of the concurrent test that t is, or is a part of, or "".
func ownPrefix(t *testing.T) string {
	concurrent.Lock()
	defer concurrent.Unlock()
	for name := t.Name(); name != ""; {
		if prefix, found := concurrent.prefixes[name]; found {
			return prefix
		}
		name = name[:max(0, strings.LastIndexByte(name, '/'))]
	}
	return ""
}

// endConcurrency undoes what the first concurrent test did.
func endConcurrency(ctx context.Context) error {
	if concurrent.lease == nil || concurrent.err != nil {
		return nil
	}
	return client.IgnoreNotFound(env.client.Delete(ctx, concurrent.lease))
}
