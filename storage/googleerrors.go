package storage

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	gstorage "cloud.google.com/go/storage"
	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
)

// googleTokenErrors marks failures to get a token.
type googleTokenErrors struct{ oauth2.TokenSource }

func (t googleTokenErrors) Token() (*oauth2.Token, error) {
	token, err := t.TokenSource.Token()
	if err != nil {
		err = &credentialsError{err}
	}
	return token, err
}

// retryLimit limits the number of retries, which is unlimited in Google's client for uploads.
type retryLimit struct{ failures atomic.Int32 } // consecutive

// watch counts the failures of a transport.
func (l *retryLimit) watch(transport http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := transport.RoundTrip(r)
		if err != nil || response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
			l.failures.Add(1)
		} else {
			l.failures.Store(0)
		}
		return response, err
	})
}

func (l *retryLimit) retry(err error) bool {
	var creds *credentialsError
	return !errors.As(err, &creds) && gstorage.ShouldRetry(err) && l.failures.Load() < maxAttempts
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// oauthErrorCode returns the OAuth error for which no token was issued.
func oauthErrorCode(err error) string {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return ""
	}
	if refused.ErrorCode != "" {
		return refused.ErrorCode
	}
	var body struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(refused.Body, &body) // a body that is not JSON is ignored
	return body.Error
}

func (b *googleBucket) explain(err error) finding {
	var creds *credentialsError
	if errors.As(err, &creds) {
		reason := "no token for the Google credentials"
		if errorCode := oauthErrorCode(err); errorCode != "" {
			reason += ": " + errorCode
		}
		return finding{ErrPermission, reason, "check GOOGLE_SERVICE_ACCOUNT, or the pod's workload identity (docs/storage.md)"}
	}
	switch {
	case errors.Is(err, gstorage.ErrBucketNotExist):
		return finding{ErrNotExist, fmt.Sprintf("the bucket %q does not exist", b.name), "check its name"}
	case errors.Is(err, gstorage.ErrObjectNotExist):
		return finding{ErrNotExist, fmt.Sprintf("the object, or the bucket %q, does not exist", b.name), "check the bucket and the key"}
	}
	var api *googleapi.Error
	if !errors.As(err, &api) {
		return finding{}
	}
	reason := strings.TrimSpace(api.Message)
	if reason == "" {
		reason = http.StatusText(api.Code)
	}
	reason = fmt.Sprintf("the provider responded %d: %s", api.Code, reason)
	switch {
	case api.Code == http.StatusNotFound:
		return finding{ErrNotExist, fmt.Sprintf("the bucket %q does not exist", b.name), "check its name"}
	case api.Code == http.StatusUnauthorized:
		return finding{ErrPermission, reason, "check GOOGLE_SERVICE_ACCOUNT, or the pod's workload identity (docs/storage.md)"}
	case api.Code == http.StatusForbidden:
		return finding{ErrPermission, reason, "grant the account storage.objects.create, delete and get on the bucket (docs/storage.md)"}
	case api.Code == http.StatusTooManyRequests || api.Code >= 500:
		return finding{ErrUnavailable, reason, "try again later"}
	}
	return finding{reason: reason}
}
