package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// slowReviews is a slow API server for which tokens that begin with "good" are valid.
type slowReviews struct {
	takes         time.Duration
	running, most atomic.Int64
	forged        atomic.Int64
}

func (r *slowReviews) Create(ctx context.Context, review *authenticationv1.TokenReview, _ metav1.CreateOptions) (*authenticationv1.TokenReview, error) {
	running := r.running.Add(1)
	defer r.running.Add(-1)
	for most := r.most.Load(); running > most && !r.most.CompareAndSwap(most, running); most = r.most.Load() {
	}
	select {
	case <-time.After(r.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	review.Status.Authenticated = strings.HasPrefix(review.Spec.Token, "good")
	if review.Status.Authenticated {
		review.Status.User.Username = review.Spec.Token
	} else {
		r.forged.Add(1)
	}
	return review, nil
}

type allAllowed struct{}

func (allAllowed) Create(_ context.Context, review *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error) {
	review.Status.Allowed = true
	return review, nil
}

// TestTokenAuthorizer_Flood has an API server that takes a second per review, and a client that
// sends new forged tokens all the time, in a synctest bubble.
func TestTokenAuthorizer_Flood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &slowReviews{takes: time.Second}
		a := NewTokenAuthorizer(api, allAllowed{}, nil)
		from := func(address string) context.Context {
			return context.WithValue(t.Context(), addressKey{}, address+":1")
		}
		// answered sends a request, expects the token to be valid, and checks the time that it took.
		answered := func(address, token string, minTook, maxTook time.Duration) {
			t.Helper()
			began := time.Now()
			d, err := a.Authorize(from(address), token, "post", "/export")
			if err != nil || !d.Allowed {
				t.Errorf("%s from %s: got %+v, %v", token, address, d, err)
			}
			if took := time.Since(began); took < minTook || took > maxTook {
				t.Errorf("%s from %s: it took %v, want %v to %v", token, address, took, minTook, maxTook)
			}
		}
		answered("10.0.0.1", "good-known", time.Second, time.Second)

		flood, stop := context.WithCancel(from("10.0.0.1"))
		var forgers sync.WaitGroup
		for i := range 200 {
			forgers.Go(func() {
				for n := 0; flood.Err() == nil; n++ {
					d, err := a.Authorize(flood, fmt.Sprintf("forged-%d-%d", i, n), "post", "/export")
					if flood.Err() == nil && (err != nil || d.User != "") {
						t.Errorf("a forged token: got %+v, %v", d, err)
					}
				}
			})
		}
		time.Sleep(30 * time.Second)
		answered("10.0.0.1", "good-known", 0, 0) // cached, whatever came since
		time.Sleep(allowedFor)
		answered("10.0.0.1", "good-known", time.Second, time.Second) // reviewed, before all forged tokens
		answered("10.0.0.2", "good-newcomer", time.Second, time.Second)
		answered("10.0.0.1", "good-neighbour", time.Second, waitTimeout)
		if got, want := api.most.Load(), int64(2*maxReviews); got > want {
			t.Errorf("%d questions at once, want at most %d", got, want)
		}
		if api.forged.Load() < 1000 {
			t.Errorf("only %d forged tokens were asked about: this is no flood", api.forged.Load())
		}
		stop()
		forgers.Wait()
		if len(a.refused.entries) > maxDecisions || len(a.decisions.entries) > 10 {
			t.Errorf("%d refused tokens and %d decisions are remembered", len(a.refused.entries), len(a.decisions.entries))
		}
		if len(a.limits.sources) != 0 || a.limits.waiting != 0 {
			t.Errorf("%d addresses and %d requests are still counted", len(a.limits.sources), a.limits.waiting)
		}
	})
}

// TestTokenAuthorizer_TooManyWaiting sends more requests with unknown tokens than may wait: the
// others are rejected at once.
func TestTokenAuthorizer_TooManyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewTokenAuthorizer(&slowReviews{takes: time.Second}, allAllowed{}, nil)
		const more = 50
		var refused atomic.Int64
		var group sync.WaitGroup
		for i := range maxWaiting + maxFromOne + more {
			group.Go(func() {
				began := time.Now()
				_, err := a.Authorize(t.Context(), fmt.Sprintf("forged-%d", i), "post", "/export")
				switch {
				case errors.Is(err, errTooManyWaiting) && time.Since(began) == 0:
					refused.Add(1)
				case err != nil:
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
			synctest.Wait()
		}
		group.Wait()
		if got := refused.Load(); got != more {
			t.Errorf("%d were refused at once, want %d", got, more)
		}
	})
}
