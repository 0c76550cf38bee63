package controller

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/controller/objects"
)

func (s *session) ensureRoot(ctx context.Context) error {
	want := objects.Metaroot(s.sim)
	root := &simkubev1.SimulationRoot{}
	err := s.reader.Get(ctx, client.ObjectKeyFromObject(want), root)
	switch {
	case apierrors.IsNotFound(err):
		if err := s.client.Create(ctx, want); err != nil {
			return fmt.Errorf("create SimulationRoot %s: %w", want.Name, err)
		}
		root = want
	case err != nil:
		return fmt.Errorf("read SimulationRoot %s: %w", want.Name, err)
	case metav1.IsControlledBy(root, s.sim):
		if root.DeletionTimestamp != nil {
			return waitFor(recheck, "", "the metaroot is being deleted")
		}
	case isSimulation(metav1.GetControllerOf(root)):
		// It was left behind by an earlier simulation of the same name.
		return s.removeStale(ctx, root)
	default:
		return s.nameTaken(root)
	}
	s.root = root
	return nil
}

func (s *session) ensureService(ctx context.Context) error {
	_, err := ensure(ctx, s, objects.Service(s.sim, s.root))
	return err
}

func (s *session) ensurePrometheus(ctx context.Context) error {
	if s.sim.Spec.Metrics == nil {
		return nil
	}
	prometheus, err := objects.Prometheus(s.sim, s.root)
	if err != nil {
		return fail(reasonInvalid, "%v", err)
	}
	_, err = ensure(ctx, s, prometheus)
	return err
}

// ensureJob creates the driver's job. If somebody has deleted it, its driver may still run for a
// while, or for long if its node is unreachable. Two drivers would replay into each other's
// objects.
func (s *session) ensureJob(ctx context.Context) (err error) {
	if err := s.awaitFormerDriver(ctx); err != nil {
		return err
	}
	s.job, err = ensure(ctx, s, objects.Job(s.sim, s.root, objects.Driver{
		ControllerNamespace: s.opts.Namespace, ServiceAccount: s.opts.DriverServiceAccount,
	}), s.checkDriverLimits)
	return err
}

// awaitFormerDriver waits for the pods of a deleted job, if there is no job.
func (s *session) awaitFormerDriver(ctx context.Context) error {
	if has, err := s.hasJob(ctx); has || err != nil {
		return err
	}
	var pods corev1.PodList
	namespace := s.sim.Spec.Driver.Namespace
	if err := s.reader.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(objects.DriverPods(s.sim.Name))); err != nil {
		return fmt.Errorf("list the driver's pods: %w", err)
	}
	living := slices.DeleteFunc(pods.Items, func(pod corev1.Pod) bool {
		return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	})
	if len(living) == 0 {
		return nil
	}
	// The cache may not have seen a job that was created just now.
	key := client.ObjectKey{Namespace: namespace, Name: simkubev1.DriverName(s.sim.Name)}
	switch err := s.reader.Get(ctx, key, &batchv1.Job{}); {
	case err == nil:
		return nil
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("read the driver's job: %w", err)
	}
	pod := &living[0]
	if pod.DeletionTimestamp == nil && metav1.GetControllerOf(pod) == nil {
		return waitFor(time.Second, reasonFormerDriver, "Pod %s is still running, but its job was deleted: kubectl delete pod -n %s %s", pod.Name, namespace, pod.Name)
	}
	_, message := describeDeletion(pod, s.opts.Clock.Now())
	return waitFor(time.Second, reasonFormerDriver, "The driver's job was deleted. %s", message)
}

// hasJob reports whether the driver's job is in the cache.
func (s *session) hasJob(ctx context.Context) (bool, error) {
	key := client.ObjectKey{Namespace: s.sim.Spec.Driver.Namespace, Name: simkubev1.DriverName(s.sim.Name)}
	err := s.client.Get(ctx, key, &batchv1.Job{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// ensure returns the object of this name that the metaroot owns, and creates it if it does not
// exist. It does not update it. If the object belongs to somebody else, the simulation fails. The
// checks run before the object is created.
func ensure[T client.Object](ctx context.Context, s *session, want T, checks ...func() error) (T, error) {
	var none T
	found := empty(want)
	err := s.reader.Get(ctx, client.ObjectKeyFromObject(want), found)
	switch {
	case apierrors.IsNotFound(err):
		for _, check := range checks {
			if err := check(); err != nil {
				return none, err
			}
		}
		return want, s.create(ctx, want)
	case err != nil:
		return none, fmt.Errorf("read %s: %w", describe(want), err)
	case !hasOwner(found, s.root.UID):
		if hasOwnerNamed(found, s.root) {
			return none, s.removeStale(ctx, found)
		}
		return none, s.nameTaken(want)
	case found.GetDeletionTimestamp() != nil:
		return none, waitFor(recheck, "", "%s is being deleted", describe(want))
	}
	return found, nil
}

// empty returns an empty object of the same type and kind.
func empty[T client.Object](object T) T {
	var blank any = &unstructured.Unstructured{}
	if _, is := any(object).(*unstructured.Unstructured); !is {
		blank = reflect.New(reflect.TypeOf(object).Elem()).Interface()
	}
	typed := blank.(T)
	typed.GetObjectKind().SetGroupVersionKind(object.GetObjectKind().GroupVersionKind())
	return typed
}

func (s *session) create(ctx context.Context, object client.Object) error {
	what := describe(object)
	err := s.client.Create(ctx, object)
	switch {
	case err == nil:
		s.log.InfoContext(ctx, "created an object", "object", what)
		return nil
	case apierrors.IsNotFound(err):
		return s.missing(missingGrace, reasonNamespace, "Namespace %s does not exist, but %s belongs in it: create it, or use another one.", object.GetNamespace(), what)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return s.missing(missingGrace, reasonNamespace, "Namespace %s is being deleted, but %s belongs in it. Use another one.", object.GetNamespace(), what)
	case apierrors.IsInvalid(err):
		return fail(reasonInvalid, "The API server rejected %s: %v.", what, err)
	}
	return fmt.Errorf("create %s: %w", what, err)
}

// nameTaken returns a failure about an object of somebody else.
func (s *session) nameTaken(object client.Object) error {
	return fail(reasonInvalid, "%s already exists, and does not belong to this simulation. Delete it, or rename the simulation.", describe(object))
}

// removeStale deletes what an earlier simulation of this name left, and waits until it is gone.
func (s *session) removeStale(ctx context.Context, object client.Object) error {
	if object.GetDeletionTimestamp() == nil {
		if err := s.delete(ctx, object); err != nil {
			return err
		}
	}
	return waitFor(recheck, "", "%s of an earlier simulation is being deleted", describe(object))
}

func (s *session) delete(ctx context.Context, object client.Object) error {
	uid := object.GetUID()
	err := s.client.Delete(ctx, object, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("delete %s: %w", describe(object), err)
	}
	s.log.InfoContext(ctx, "deleted an object", "object", describe(object))
	return nil
}

func hasOwner(object client.Object, uid types.UID) bool {
	return slices.ContainsFunc(object.GetOwnerReferences(), func(ref metav1.OwnerReference) bool { return ref.UID == uid })
}

// hasOwnerNamed reports whether the object's owners include this root or an earlier one of the same
// name.
func hasOwnerNamed(object client.Object, root *simkubev1.SimulationRoot) bool {
	return slices.ContainsFunc(object.GetOwnerReferences(), func(ref metav1.OwnerReference) bool { return isRoot(ref, root.Name) })
}

func isRoot(ref metav1.OwnerReference, name string) bool {
	return ref.Kind == "SimulationRoot" && ref.APIVersion == simkubev1.GroupVersion.String() && ref.Name == name
}

func isSimulation(ref *metav1.OwnerReference) bool {
	return ref != nil && ref.Kind == "Simulation" && ref.APIVersion == simkubev1.GroupVersion.String()
}

// describe returns an object's kind and name for messages.
func describe(object client.Object) string {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	if kind == "" {
		kind = strings.TrimPrefix(fmt.Sprintf("%T", object), "*v1.")
	}
	if object.GetNamespace() == "" {
		return kind + " " + object.GetName()
	}
	return kind + " " + object.GetNamespace() + "/" + object.GetName()
}
