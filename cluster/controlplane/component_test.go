package controlplane

import (
	"context"
	"errors"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// TestComponent_Account holds that a component is a user of its own, and may do what its rules
// allow and nothing else.
func TestComponent_Account(t *testing.T) {
	fromFile, err := clientcmd.BuildConfigFromFlags("", reader.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*rest.Config{"config": reader.Config, "kubeconfig": fromFile} {
		t.Run(name, func(t *testing.T) {
			c, err := kubernetes.NewForConfig(config)
			if err != nil {
				t.Fatal(err)
			}
			self, err := c.AuthenticationV1().SelfSubjectReviews().Create(t.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
			if err != nil || self.Status.UserInfo.Username != "system:reader" {
				t.Errorf("user: got %v, %v, want system:reader", self, err)
			}
			if _, err := c.CoreV1().ConfigMaps("").List(t.Context(), metav1.ListOptions{}); err != nil {
				t.Errorf("list ConfigMaps: %v", err)
			}
			if _, err := c.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
				t.Errorf("list Secrets: got %v, want forbidden", err)
			}
		})
	}
}

func TestValidateComponents(t *testing.T) {
	nothing := func(context.Context, Access) (Instance, error) { return Instance{}, nil }
	tests := []struct {
		name       string
		components []Component
		want       []string // in the error; nil for none
	}{
		{"valid", []Component{{Name: "a", Start: nothing}, {Name: "b", User: "system:b", Start: nothing}}, nil},
		{"no name, no Start", []Component{{}}, []string{`invalid component name ""`, "has no Start"}},
		{"a path", []Component{{Name: "../a", Start: nothing}}, []string{`invalid component name "../a"`}},
		{"two of a name", []Component{{Name: "a", Start: nothing}, {Name: "a", User: "b", Start: nothing}}, []string{`invalid component name "a": must be unique`}},
		{"the API server", []Component{{Name: "kube-apiserver", Start: nothing}}, []string{`invalid component name "kube-apiserver": must be unique`}},
		{"two of a user", []Component{{Name: "a", Start: nothing}, {Name: "b", User: "a", Start: nothing}}, []string{`invalid user "a" of component b: must be unique`}},
		{"the administrator", []Component{{Name: "a", User: userAdmin, Start: nothing}}, []string{`invalid user "simkube-admin" of component a`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := validateComponents(tt.components)
			if (err != nil) != (tt.want != nil) {
				t.Fatalf("got %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestStart_InvalidComponent(t *testing.T) {
	_, err := Start(t.Context(), Options{Components: []Component{{Name: "kube-scheduler"}}})
	if err == nil || errors.Is(err, ErrAlreadyStarted) || !strings.Contains(err.Error(), "must be unique") {
		t.Errorf("got %v, want it to name the component", err)
	}
}

func TestSupervisor_Start(t *testing.T) {
	boom := errors.New("boom")
	lasting := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	interrupted, interrupt := context.WithCancelCause(t.Context())

	for name, tt := range map[string]struct {
		ctx   context.Context
		start func(ctx context.Context) (Instance, error)
		want  error
	}{
		"fails": {t.Context(), func(context.Context) (Instance, error) { return Instance{}, boom }, boom},
		"is interrupted": {interrupted, func(ctx context.Context) (Instance, error) {
			interrupt(boom)
			<-ctx.Done()
			return Instance{Run: lasting}, nil
		}, boom},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSupervisor(t.Context())
			if _, err := s.start(tt.ctx, name, tt.start); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err := s.stop(t.Context()); err != nil || s.failure() != nil {
				t.Errorf("got %v and %v, want nothing to have run", err, s.failure())
			}
		})
	}

	t.Run("outlives its start", func(t *testing.T) {
		s := newSupervisor(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		var own context.Context
		_, err := s.start(ctx, "lasting", func(ctx context.Context) (Instance, error) {
			own = ctx
			return Instance{Run: lasting}, nil
		})
		cancel()
		if err != nil || own.Err() != nil {
			t.Errorf("got %v, and its context %v, want neither to be an error", err, own.Err())
		}
		if err := s.stop(t.Context()); err != nil || own.Err() == nil {
			t.Errorf("stop: got %v, and the context %v, want that to have ended", err, own.Err())
		}
	})

	t.Run("without Run", func(t *testing.T) {
		s := newSupervisor(t.Context())
		if _, err := s.start(t.Context(), "idle", func(context.Context) (Instance, error) { return Instance{}, nil }); err == nil {
			t.Error("got no error")
		}
	})
}

func TestSupervisor_ExpectedEndIsNoFailure(t *testing.T) {
	s := newSupervisor(t.Context())
	end := make(chan struct{})
	s.run("failing", func(context.Context) error { <-end; return errors.New("boom") })
	s.expect()
	close(end)
	if err := s.stop(t.Context()); err != nil || s.failure() != nil {
		t.Errorf("got %v and the failure %v, want neither", err, s.failure())
	}
}
