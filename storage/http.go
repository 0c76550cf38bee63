package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// httpObject is an object behind HTTP, read-only.
type httpObject struct {
	transport http.RoundTripper
	address   string
}

// statusError is a response with another status than that of the object.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("the server responded %d %s", int(e), http.StatusText(int(e)))
}

func (p httpObject) open(ctx context.Context, _ string) (io.ReadCloser, int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.address, http.NoBody)
	if err != nil {
		return nil, 0, err
	}
	client := &http.Client{Transport: p.transport, CheckRedirect: checkRedirect}
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, 0, statusError(response.StatusCode)
	}
	return response.Body, response.ContentLength, nil
}

func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	if via[0].URL.Scheme == "https" && request.URL.Scheme != "https" {
		return errors.New("the server redirects from https to http")
	}
	return nil
}

func (httpObject) upload(context.Context, string, io.Reader) error { return ErrReadOnly }

func (httpObject) check(context.Context, string) error { return ErrReadOnly }

func (httpObject) explain(err error) finding {
	var status statusError
	if !errors.As(err, &status) {
		return finding{}
	}
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		return finding{ErrNotExist, status.Error(), "check the URL"}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return finding{ErrPermission, status.Error(), "the URL may require credentials, or a signed URL may have expired"}
	case status == http.StatusTooManyRequests || status >= 500:
		return finding{ErrUnavailable, status.Error(), "try again later"}
	}
	return finding{reason: status.Error()}
}

func (httpObject) close() {}
