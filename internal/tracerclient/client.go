package tracerclient

import (
	"bytes"
	"cmp"
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

// maxErrorBytes is the maximum number of bytes read of an error response.
const maxErrorBytes = 1 << 20

// Client sends requests to one tracer. It is safe for concurrent use.
type Client struct {
	// URL is the address of the tracer, such as http://localhost:7777.
	URL string
	// Transport sends the requests. Nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Token returns the token for authentication. It is called only if the tracer requires one. Nil
	// means that there is none.
	Token func(context.Context) (string, error)
}

// Export is the response to an export request.
type Export struct {
	// Body is the uncompressed trace, or empty if the tracer wrote it to a bucket. An error of Read
	// means that the trace is incomplete. It must be closed.
	Body io.ReadCloser
	// Stored is the contents that the tracer wrote to a bucket; fields that it did not report are 0.
	Stored Contents

	response *http.Response
}

// Report returns what the request left out of the trace, once the body has been read to its end. It
// is nil if the tracer did not send it, as older ones do not.
func (e *Export) Report() (*simkubev1.ExportReport, error) {
	text := cmp.Or(e.response.Header.Get(simkubev1.HeaderExportReport), e.response.Trailer.Get(simkubev1.HeaderExportReport))
	if text == "" {
		return nil, nil
	}
	report := new(simkubev1.ExportReport)
	if err := json.Unmarshal([]byte(text), report); err != nil {
		return nil, fmt.Errorf("read the report of the export: %w", err)
	}
	return report, nil
}

// Contents is the statistics of a trace.
type Contents struct {
	Events, Objects, Bytes int64
	// Start is the time of the first event in unix seconds.
	Start int64
}

// APIError is returned for an error response.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Response is the body. It always has a message.
	Response simkubev1.ErrorResponse
}

func (e *APIError) Error() string {
	return fmt.Sprintf("the tracer returned %d: %s", e.Status, e.Response.Message)
}

// Export requests the trace of an interval. If the response is an error, it returns an [*APIError].
func (c *Client) Export(ctx context.Context, request simkubev1.ExportRequest) (*Export, error) {
	// Older tracers require lists, even empty ones.
	if request.Filters.ExcludedNamespaces == nil {
		request.Filters.ExcludedNamespaces = []string{}
	}
	if request.Filters.ExcludedLabels == nil {
		request.Filters.ExcludedLabels = []metav1.LabelSelector{}
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	response, err := c.post(ctx, body, "")
	if err == nil && response.StatusCode == http.StatusUnauthorized && c.Token != nil {
		err = readError(response)
		token, tokenErr := c.Token(ctx)
		if tokenErr != nil {
			return nil, fmt.Errorf("%w; get a token: %w", err, tokenErr)
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
	return &Export{Body: decoded, Stored: stored(response.Header), response: response}, nil
}

func (c *Client) post(ctx context.Context, body []byte, token string) (*http.Response, error) {
	url := strings.TrimSuffix(c.URL, "/") + simkubev1.PathExport
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("send the request to the tracer: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept-Encoding", "zstd, gzip")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{
		Transport: c.Transport,
		// A token must not be sent to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("send the request to the tracer: %w", err)
	}
	return response, nil
}

// readError reads an error response, and closes it.
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

// decode returns the uncompressed body of a response.
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
		return nil, fmt.Errorf("read the trace: the tracer used the compression %q, which was not requested", encoding)
	}
}

// decoded is the body of a compressed response.
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
