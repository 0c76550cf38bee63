package tracerclient

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// ExportServiceAccount is a ServiceAccount in the namespace of a tracer that may only export.
const ExportServiceAccount = "sk-tracer-export"

// tokenSeconds is the lifetime of a requested token, which is the minimum of Kubernetes.
const tokenSeconds = 600

// ClusterToken returns a function that returns a token for a tracer's pod: that of the user of the
// client configuration, or, if there is none, or the user impersonates another one, a token of the
// ServiceAccount for exports. A pod that is not known never gets the user's token, with which it
// could do whatever the user may.
func ClusterToken(config *rest.Config, client corev1client.CoreV1Interface, pod Pod) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if pod.Known && config.Impersonate.UserName == "" {
			token, err := userToken(ctx, config)
			if err != nil || token != "" {
				return token, err
			}
		}
		seconds := int64(tokenSeconds)
		request, err := client.ServiceAccounts(pod.Namespace).CreateToken(ctx, ExportServiceAccount,
			&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
		if err != nil {
			return "", fmt.Errorf("get a token of the ServiceAccount %s/%s: %w", pod.Namespace, ExportServiceAccount, err)
		}
		return request.Status.Token, nil
	}
}

// userToken returns the token of requests to the API server, from whatever source; "" if they have
// none.
func userToken(ctx context.Context, config *rest.Config) (string, error) {
	var header string
	transport, err := rest.HTTPWrappersForConfig(config, roundTripper(func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	}))
	if err != nil {
		return "", fmt.Errorf("get the token of the kubeconfig: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://localhost/", nil)
	if err != nil {
		return "", fmt.Errorf("get the token of the kubeconfig: %w", err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", fmt.Errorf("get the token of the kubeconfig: %w", err)
	}
	response.Body.Close()
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return "", nil
	}
	return token, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
