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
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
)

const (
	// reviewTimeout is how long the API server may take to say who somebody is.
	reviewTimeout = 10 * time.Second
	// waitTimeout is how long others may be asked about before: as long as that takes when the API
	// server needs a second for each.
	waitTimeout = 30 * time.Second
)

// TokenReviews asks the API server who the bearer of a token is. client-go's typed client is one.
type TokenReviews interface {
	Create(context.Context, *authenticationv1.TokenReview, metav1.CreateOptions) (*authenticationv1.TokenReview, error)
}

// AccessReviews asks the API server what somebody may do. client-go's typed client is one.
type AccessReviews interface {
	Create(context.Context, *authorizationv1.SubjectAccessReview, metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// TokenAuthorizer asks the API server, and remembers its answers for a short time: yes for a
// minute, no for ten seconds. Who comes with a token that the API server does not know waits for
// others that do, not for those whose tokens it knew a moment ago. It is safe for concurrent use.
type TokenAuthorizer struct {
	tokens TokenReviews
	access AccessReviews
	// decisions are about tokens that the API server knows; refused are the others, known those
	// that it knew not long ago. Each has room of its own, so that forged tokens displace no good
	// ones.
	decisions recent[decisionKey, Decision]
	refused   recent[tokenHash, Decision]
	known     recent[tokenHash, struct{}]
	lanes     *lanes
	// rate bounds the questions about unknown tokens.
	rate flowcontrol.RateLimiter
}

// NewTokenAuthorizer returns a TokenAuthorizer. A nil clock is the real one.
func NewTokenAuthorizer(tokens TokenReviews, access AccessReviews, c clock.PassiveClock) *TokenAuthorizer {
	if c == nil {
		c = clock.RealClock{}
	}
	return &TokenAuthorizer{
		tokens: tokens, access: access, lanes: newLanes(), rate: flowcontrol.NewTokenBucketRateLimiter(reviewRate, reviewBurst),
		decisions: recent[decisionKey, Decision]{clock: c},
		refused:   recent[tokenHash, Decision]{clock: c},
		known:     recent[tokenHash, struct{}]{clock: c},
	}
}

// Authorize implements Authorizer.
func (a *TokenAuthorizer) Authorize(ctx context.Context, token, verb, path string) (Decision, error) {
	key := decisionKey{token: sha256.Sum256([]byte(token)), verb: verb, path: path}
	if d, ok := a.remembered(key); ok {
		return d, nil
	}
	leave, err := a.enter(ctx, key.token)
	if err != nil {
		return Decision{}, err
	}
	defer leave()
	if d, ok := a.remembered(key); ok {
		return d, nil // another request with the same token was before this one
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	d, err := a.review(ctx, token, verb, path)
	if err != nil {
		return Decision{}, err
	}
	a.remember(key, d)
	return d, nil
}

// enter waits until the API server may be asked about a token.
func (a *TokenAuthorizer) enter(ctx context.Context, token tokenHash) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	if _, known := a.known.get(token); known {
		return a.lanes.enterKnown(ctx)
	}
	if leave, err = a.lanes.enterUnknown(ctx, callerAddress(ctx)); err != nil {
		return nil, err
	}
	if err := a.rate.Wait(ctx); err != nil {
		leave()
		return nil, fmt.Errorf("wait to ask the API server: %w", err)
	}
	return leave, nil
}

// remembered returns what the API server said a moment ago.
func (a *TokenAuthorizer) remembered(key decisionKey) (Decision, bool) {
	if d, ok := a.decisions.get(key); ok {
		return d, true
	}
	return a.refused.get(key.token)
}

// remember keeps what the API server said.
func (a *TokenAuthorizer) remember(key decisionKey, d Decision) {
	switch {
	case d.User == "":
		a.refused.put(key.token, d, refusedFor)
		a.known.drop(key.token)
		return
	case d.Allowed:
		a.decisions.put(key, d, allowedFor)
	default:
		a.decisions.put(key, d, refusedFor)
	}
	a.known.put(key.token, struct{}{}, knownFor)
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
