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
	// reviewTimeout is the timeout of a review by the API server.
	reviewTimeout = 10 * time.Second
	// waitTimeout is how long a request waits for the reviews of others. It is sufficient if the API
	// server takes a second per review.
	waitTimeout = 30 * time.Second
)

// TokenReviews creates token reviews. It is implemented by client-go.
type TokenReviews interface {
	Create(context.Context, *authenticationv1.TokenReview, metav1.CreateOptions) (*authenticationv1.TokenReview, error)
}

// AccessReviews creates subject access reviews. It is implemented by client-go.
type AccessReviews interface {
	Create(context.Context, *authorizationv1.SubjectAccessReview, metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// TokenAuthorizer authorizes by reviews of the API server. It caches allowed requests for a minute
// and denied ones for ten seconds. Requests with unknown tokens wait for each other, but do not
// delay those with recently valid tokens. It is safe for concurrent use.
type TokenAuthorizer struct {
	tokens TokenReviews
	access AccessReviews
	// decisions are about valid tokens; refused has the invalid tokens, known the recently valid ones.
	// Each has a limit of its own, so that forged tokens do not evict valid ones.
	decisions expiringCache[decisionKey, Decision]
	refused   expiringCache[tokenHash, Decision]
	known     expiringCache[tokenHash, struct{}]
	limits    *reviewLimits
	// rate limits the reviews of unknown tokens.
	rate flowcontrol.RateLimiter
}

// NewTokenAuthorizer returns a TokenAuthorizer. A nil clock means the real one.
func NewTokenAuthorizer(tokens TokenReviews, access AccessReviews, c clock.PassiveClock) *TokenAuthorizer {
	if c == nil {
		c = clock.RealClock{}
	}
	return &TokenAuthorizer{
		tokens: tokens, access: access, limits: newReviewLimits(), rate: flowcontrol.NewTokenBucketRateLimiter(reviewRate, reviewBurst),
		decisions: expiringCache[decisionKey, Decision]{clock: c},
		refused:   expiringCache[tokenHash, Decision]{clock: c},
		known:     expiringCache[tokenHash, struct{}]{clock: c},
	}
}

// Authorize implements Authorizer.
func (a *TokenAuthorizer) Authorize(ctx context.Context, token, verb, path string) (Decision, error) {
	key := decisionKey{token: sha256.Sum256([]byte(token)), verb: verb, path: path}
	if d, ok := a.cached(key); ok {
		return d, nil
	}
	leave, err := a.enter(ctx, key.token)
	if err != nil {
		return Decision{}, err
	}
	defer leave()
	if d, ok := a.cached(key); ok {
		return d, nil // reviewed for another request meanwhile
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	d, err := a.review(ctx, token, verb, path)
	if err != nil {
		return Decision{}, err
	}
	a.store(key, d)
	return d, nil
}

// enter waits until a token may be reviewed.
func (a *TokenAuthorizer) enter(ctx context.Context, token tokenHash) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	if _, known := a.known.get(token); known {
		return a.limits.enterKnown(ctx)
	}
	if leave, err = a.limits.enterUnknown(ctx, callerAddress(ctx)); err != nil {
		return nil, err
	}
	if err := a.rate.Wait(ctx); err != nil {
		leave()
		return nil, fmt.Errorf("wait for a review by the API server: %w", err)
	}
	return leave, nil
}

// cached returns a cached decision.
func (a *TokenAuthorizer) cached(key decisionKey) (Decision, bool) {
	if d, ok := a.decisions.get(key); ok {
		return d, true
	}
	return a.refused.get(key.token)
}

// store caches a decision.
func (a *TokenAuthorizer) store(key decisionKey, d Decision) {
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
		return Decision{}, fmt.Errorf("review the token: %w", err)
	}
	if !tokenReview.Status.Authenticated {
		return Decision{Reason: tokenReview.Status.Error}, nil
	}
	user := tokenReview.Status.User
	if user.Username == "" {
		return Decision{}, errors.New("review the token: the API server returned no user name")
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
		return Decision{}, fmt.Errorf("review the access of user %s: %w", user.Username, err)
	}
	status := accessReview.Status
	return Decision{User: user.Username, Allowed: status.Allowed && !status.Denied, Reason: status.Reason}, nil
}
