package server

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"
)

// reviews is an API server for which tokens like "user:name" are valid.
type reviews struct {
	asked           []string
	tokenErr        error
	accessErr       error
	lastAccess      authorizationv1.SubjectAccessReviewSpec
	denied, allowed bool
}

type (
	tokenReviews  struct{ *reviews }
	accessReviews struct{ *reviews }
)

func (r tokenReviews) Create(_ context.Context, review *authenticationv1.TokenReview, _ metav1.CreateOptions) (*authenticationv1.TokenReview, error) {
	r.asked = append(r.asked, "token "+review.Spec.Token)
	if r.tokenErr != nil {
		return nil, r.tokenErr
	}
	if name, ok := strings.CutPrefix(review.Spec.Token, "user:"); ok {
		review.Status = authenticationv1.TokenReviewStatus{Authenticated: true, User: authenticationv1.UserInfo{
			Username: name, UID: "u1", Groups: []string{"g"}, Extra: map[string]authenticationv1.ExtraValue{"scopes": {"a", "b"}},
		}}
	}
	return review, nil
}

func (r accessReviews) Create(_ context.Context, review *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error) {
	r.asked = append(r.asked, "access "+review.Spec.User)
	r.lastAccess = review.Spec
	review.Status = authorizationv1.SubjectAccessReviewStatus{Allowed: r.allowed, Denied: r.denied, Reason: "because"}
	return review, r.accessErr
}

func TestTokenAuthorizer(t *testing.T) {
	for name, tc := range map[string]struct {
		api     reviews
		token   string
		want    Decision
		wantErr string
	}{
		"allowed":          {reviews{allowed: true}, "user:me", Decision{User: "me", Allowed: true, Reason: "because"}, ""},
		"not allowed":      {reviews{}, "user:me", Decision{User: "me", Reason: "because"}, ""},
		"allowed and not":  {reviews{allowed: true, denied: true}, "user:me", Decision{User: "me", Reason: "because"}, ""},
		"an unknown token": {reviews{allowed: true}, "x", Decision{}, ""},
		"nobody":           {reviews{allowed: true}, "user:", Decision{}, "review the token: the API server returned no user name"},
		"no token review":  {reviews{allowed: true, tokenErr: errors.New("no")}, "user:me", Decision{}, "review the token: no"},
		"no access review": {reviews{allowed: true, accessErr: errors.New("no")}, "user:me", Decision{}, "review the access of user me: no"},
	} {
		t.Run(name, func(t *testing.T) {
			a := NewTokenAuthorizer(tokenReviews{&tc.api}, accessReviews{&tc.api}, nil)
			got, err := a.Authorize(t.Context(), tc.token, "post", "/export")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if (err == nil) != (tc.wantErr == "") || err != nil && err.Error() != tc.wantErr {
				t.Errorf("error is %v, want %q", err, tc.wantErr)
			}
		})
	}
}

func TestTokenAuthorizer_AsksAboutTheUser(t *testing.T) {
	api := reviews{allowed: true}
	a := NewTokenAuthorizer(tokenReviews{&api}, accessReviews{&api}, nil)
	if _, err := a.Authorize(t.Context(), "user:me", "post", "/export"); err != nil {
		t.Fatal(err)
	}
	want := authorizationv1.SubjectAccessReviewSpec{
		User: "me", UID: "u1", Groups: []string{"g"}, Extra: map[string]authorizationv1.ExtraValue{"scopes": {"a", "b"}},
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/export", Verb: "post"},
	}
	if diff := cmp.Diff(want, api.lastAccess); diff != "" {
		t.Errorf("access review (-want +got):\n%s", diff)
	}
}

// TestTokenAuthorizer_Remembers checks how long decisions are cached, and that they are not used
// for other requests.
func TestTokenAuthorizer_Remembers(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	api := reviews{allowed: true}
	a := NewTokenAuthorizer(tokenReviews{&api}, accessReviews{&api}, clock)
	step := func(after time.Duration, token, verb, path string, questions int) {
		t.Helper()
		clock.SetTime(clock.Now().Add(after))
		api.asked = nil
		_, _ = a.Authorize(t.Context(), token, verb, path)
		if len(api.asked) != questions {
			t.Errorf("%s %s %s: asked %v, want %d questions", token, verb, path, api.asked, questions)
		}
	}
	step(0, "user:me", "post", "/export", 2)
	step(allowedFor-1, "user:me", "post", "/export", 0)
	step(0, "user:me", "get", "/export", 2)
	step(0, "user:me", "post", "/metrics", 2)
	step(0, "user:you", "post", "/export", 2)
	step(1, "user:me", "post", "/export", 2)
	api.allowed = false
	step(allowedFor, "user:me", "post", "/export", 2)
	step(refusedFor-1, "user:me", "post", "/export", 0)
	step(1, "user:me", "post", "/export", 2)
	step(0, "bad", "post", "/export", 1)
	step(refusedFor-1, "bad", "post", "/export", 0)
	step(0, "bad", "get", "/metrics", 0) // an invalid token is denied for every path
	step(1, "bad", "post", "/export", 1)
	api.tokenErr = errors.New("no")
	step(0, "another", "post", "/export", 1)
	step(0, "another", "post", "/export", 1) // errors are not cached
}

func TestTokenAuthorizer_Bounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so many reviews take a while
		api := reviews{}
		a := NewTokenAuthorizer(tokenReviews{&api}, accessReviews{&api}, testclock.NewFakePassiveClock(time.Unix(0, 0)))
		for i := range 3 * maxDecisions {
			if _, err := a.Authorize(t.Context(), strconv.Itoa(i), "post", "/export"); err != nil {
				t.Fatal(err)
			}
		}
		if got := [2]int{len(a.refused.entries), a.refused.order.Len()}; got != [2]int{maxDecisions, maxDecisions} {
			t.Errorf("%v answers are remembered, want %d", got, maxDecisions)
		}
	})
}

// TestTokenAuthorizer_Waits checks that a request that waits for the reviews of others can be
// canceled.
func TestTokenAuthorizer_Waits(t *testing.T) {
	api := reviews{allowed: true}
	a := NewTokenAuthorizer(tokenReviews{&api}, accessReviews{&api}, nil)
	for range maxReviews {
		a.limits.unknown <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Authorize(ctx, "user:me", "post", "/export"); !errors.Is(err, context.Canceled) || len(api.asked) > 0 {
		t.Errorf("error is %v, and it asked %v", err, api.asked)
	}
}
