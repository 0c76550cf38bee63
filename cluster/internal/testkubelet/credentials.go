package testkubelet

import (
	"context"
	"os"
	"path/filepath"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// tokenSeconds is longer than any test, since the token is not renewed.
const tokenSeconds = 4 * 60 * 60

// token returns a token of the pod's service account; with no audience it is for the API server.
func (w *worker) token(ctx context.Context, audience string) (string, error) {
	pod := w.latest()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(tokenSeconds))}}
	if audience != "" {
		request.Spec.Audiences = []string{audience}
	}
	made, err := w.k.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, accountOf(pod), request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return made.Status.Token, nil
}

// kubeconfig returns the path of the pod's kubeconfig, or an empty one if the pod does not want
// any.
func (w *worker) kubeconfig() string {
	if mounted := w.latest().Spec.AutomountServiceAccountToken; mounted != nil && !*mounted {
		return ""
	}
	return filepath.Join(w.dir, "kubeconfig")
}

// writeKubeconfig writes a kubeconfig with which the pod's programs reach the API server as its
// service account.
func (w *worker) writeKubeconfig(ctx context.Context) error {
	path := w.kubeconfig()
	if path == "" {
		return nil
	}
	token, err := w.token(ctx, "")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	config := rest.CopyConfig(w.k.config)
	if err := rest.LoadTLSFiles(config); err != nil {
		return err
	}
	const name = "test"
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name, Namespace: w.latest().Namespace}},
		CurrentContext: name,
	}, path)
}
