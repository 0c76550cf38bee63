package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
)

const (
	// reviewTimeout is how long the API server may take to say who somebody is.
	reviewTimeout = 10 * time.Second
	// maxReviews is how many questions there are to the API server at once: guessing tokens does not overload it.
	maxReviews = 4
)

// TokenReviews asks the API server who the bearer of a token is. client-go's typed client is one.
type TokenReviews interface {
	Create(context.Context, *authenticationv1.TokenReview, metav1.CreateOptions) (*authenticationv1.TokenReview, error)
}

// AccessReviews asks the API server what somebody may do. client-go's typed client is one.
type AccessReviews interface {
	Create(context.Context, *authorizationv1.SubjectAccessReview, metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// TokenAuthorizer asks the API server, and remembers its answers for a short time: yes for a minute, no for ten seconds.
// It is safe for concurrent use.
type TokenAuthorizer struct {
	tokens TokenReviews
	access AccessReviews
	cache  decisionCache
	busy   chan struct{} // holds one value per running question
}

// NewTokenAuthorizer returns a TokenAuthorizer. A nil clock is the real one.
func NewTokenAuthorizer(tokens TokenReviews, access AccessReviews, c clock.PassiveClock) *TokenAuthorizer {
	if c == nil {
		c = clock.RealClock{}
	}
	return &TokenAuthorizer{tokens: tokens, access: access, cache: decisionCache{clock: c}, busy: make(chan struct{}, maxReviews)}
}

// Authorize implements Authorizer.
func (a *TokenAuthorizer) Authorize(ctx context.Context, token, verb, path string) (Decision, error) {
	key := decisionKey{token: sha256.Sum256([]byte(token)), verb: verb, path: path}
	if d, ok := a.cache.get(key); ok {
		return d, nil
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	select {
	case a.busy <- struct{}{}:
		defer func() { <-a.busy }()
	case <-ctx.Done():
		return Decision{}, fmt.Errorf("wait to ask the API server: %w", ctx.Err())
	}
	d, err := a.review(ctx, token, verb, path)
	if err != nil {
		return Decision{}, err
	}
	a.cache.put(key, d)
	return d, nil
}

func (a *TokenAuthorizer) review(ctx context.Context, token, verb, path string) (Decision, error) {
	tokenReview, err := a.tokens.Create(ctx, &authenticationv1.TokenReview{
		Spec: authenticationv1.TokenReviewSpec{Token: token},
	}, metav1.CreateOptions{})
	if err != nil {
		return Decision{}, fmt.Errorf("ask the API server who the token's bearer is: %w", err)
	}
	if !tokenReview.Status.Authenticated {
		return Decision{Reason: tokenReview.Status.Error}, nil
	}
	user := tokenReview.Status.User
	if user.Username == "" {
		return Decision{}, errors.New("ask the API server who the token's bearer is: it names nobody")
	}
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	accessReview, err := a.access.Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
			NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verb},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return Decision{}, fmt.Errorf("ask the API server what %s may do: %w", user.Username, err)
	}
	status := accessReview.Status
	return Decision{User: user.Username, Allowed: status.Allowed && !status.Denied, Reason: status.Reason}, nil
}
