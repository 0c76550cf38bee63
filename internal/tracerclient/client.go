package tracerclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// maxErrorBytes is how much of an error's answer is read.
const maxErrorBytes = 1 << 20

// Client asks one tracer. It is safe for concurrent use.
type Client struct {
	// URL is where the tracer answers, such as http://localhost:7777.
	URL string
	// Transport carries the requests. Nil: http.DefaultTransport.
	Transport http.RoundTripper
	// Token gives the token to prove with who asks. It is called when the tracer wants one, and not before. Nil: there is none.
	Token func(context.Context) (string, error)
}

// Export is what a tracer made of a request.
type Export struct {
	// Body has the trace, uncompressed, unless the tracer wrote it to a bucket; then it is empty. A Read that fails means
	// that the trace is not whole. It must be closed.
	Body io.ReadCloser
	// Stored says what the tracer wrote to a bucket; what it does not say is 0.
	Stored Contents
}

// Contents is what is in a trace.
type Contents struct {
	Events, Objects, Bytes int64
	// Start is the time of the first event in unix seconds.
	Start int64
}

// APIError is returned for an answer that is an error.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Response is what the tracer says. It always has a message.
	Response simkubev1.ErrorResponse
}

func (e *APIError) Error() string {
	return fmt.Sprintf("the tracer answers %d: %s", e.Status, e.Response.Message)
}

// Export asks for the trace of a time. An answer that is an error is an [*APIError].
func (c *Client) Export(ctx context.Context, request simkubev1.ExportRequest) (*Export, error) {
	// Older tracers want lists, even empty ones.
	if request.Filters.ExcludedNamespaces == nil {
		request.Filters.ExcludedNamespaces = []string{}
	}
	if request.Filters.ExcludedLabels == nil {
		request.Filters.ExcludedLabels = []metav1.LabelSelector{}
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	response, err := c.post(ctx, body, "")
	if err == nil && response.StatusCode == http.StatusUnauthorized && c.Token != nil {
		err = readError(response)
		token, tokenErr := c.Token(ctx)
		if tokenErr != nil {
			return nil, fmt.Errorf("%w; and there is none: %w", err, tokenErr)
		}
		response, err = c.post(ctx, body, token)
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, readError(response)
	}
	decoded, err := decode(response)
	if err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	return &Export{Body: decoded, Stored: stored(response.Header)}, nil
}

func (c *Client) post(ctx context.Context, body []byte, token string) (*http.Response, error) {
	url := strings.TrimSuffix(c.URL, "/") + simkubev1.PathExport
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the tracer: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept-Encoding", "zstd, gzip")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{
		Transport: c.Transport,
		// Whoever answers, a token is for nobody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the tracer: %w", err)
	}
	return response, nil
}

// readError reads an answer that is an error, and closes it.
func readError(response *http.Response) error {
	defer response.Body.Close()
	e := &APIError{Status: response.StatusCode}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	switch {
	case json.Unmarshal(data, &e.Response) == nil && e.Response.Message != "":
	case err == nil && len(bytes.TrimSpace(data)) > 0 && len(data) < 200:
		e.Response = simkubev1.ErrorResponse{Message: string(bytes.TrimSpace(data))}
	default:
		e.Response = simkubev1.ErrorResponse{Message: http.StatusText(response.StatusCode)}
	}
	return e
}

// decode returns the body of an answer as it was before it was compressed.
func decode(response *http.Response) (io.ReadCloser, error) {
	switch encoding := response.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return response.Body, nil
	case "gzip":
		reader, err := gzip.NewReader(response.Body)
		if err != nil {
			return nil, fmt.Errorf("read the trace: %w", err)
		}
		return decoded{reader, func() error { return errors.Join(reader.Close(), response.Body.Close()) }}, nil
	case "zstd":
		reader, err := zstd.NewReader(response.Body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("read the trace: %w", err)
		}
		return decoded{reader, func() error {
			reader.Close()
			return response.Body.Close()
		}}, nil
	default:
		return nil, fmt.Errorf("read the trace: the tracer compressed it with %q, which nobody asked for", encoding)
	}
}

// decoded is a body that was compressed.
type decoded struct {
	io.Reader
	close func() error
}

func (d decoded) Close() error { return d.close() }

func stored(header http.Header) Contents {
	number := func(name string) int64 {
		n, err := strconv.ParseInt(header.Get(name), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return Contents{
		Events:  number(simkubev1.HeaderExportEvents),
		Objects: number(simkubev1.HeaderExportObjects),
		Bytes:   number(simkubev1.HeaderExportBytes),
		Start:   number(simkubev1.HeaderExportStart),
	}
}
