package controlplane

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// user is somebody who talks to the API server. All are in system:masters: the
// control plane guards against strangers, not against its own parts; the names
// are for managedFields and audit.
type user string

const (
	userAdmin             user = "simkube-admin"
	userReplay            user = "simkube"
	userControllerManager user = "system:kube-controller-manager"
	userScheduler         user = "system:kube-scheduler"
	userKWOK              user = "kwok-controller"
)

// credentials are bearer tokens, one per user, made for one run. Tokens rather than client
// certificates, since the API server verifies a certificate's chain anew at every request.
type credentials struct {
	tokens map[user]string
}

func newCredentials() *credentials {
	c := &credentials{tokens: map[user]string{}}
	for _, u := range []user{userAdmin, userReplay, userControllerManager, userScheduler, userKWOK} {
		c.tokens[u] = rand.Text()
	}
	return c
}

// writeTokenFile writes the API server's --token-auth-file.
func (c *credentials) writeTokenFile(file string) error {
	var b strings.Builder
	for u, token := range c.tokens {
		fmt.Fprintf(&b, "%s,%s,%s,\"system:masters\"\n", token, u, u)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write the token file: %w", err)
	}
	return nil
}

// restConfig is how u reaches the server from within this process, without a client-side rate limit.
func (c *credentials) restConfig(u user, server string, transport http.RoundTripper) *rest.Config {
	return &rest.Config{
		Host:        server,
		BearerToken: c.tokens[u],
		Transport:   transport,
		QPS:         -1,
		UserAgent:   string(u),
	}
}

// kubeconfig is how u reaches the server, as a file: a component from within this process, the administrator
// from without.
func (c *credentials) kubeconfig(u user, server string, ca []byte) ([]byte, error) {
	const name = "simkube"
	auth := &clientcmdapi.AuthInfo{Token: c.tokens[u]}
	if u != userAdmin {
		auth.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: inProcessProvider}
	}
	data, err := clientcmd.Write(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: server, CertificateAuthorityData: ca}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{string(u): auth},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: string(u)}},
		CurrentContext: name,
	})
	if err != nil {
		return nil, fmt.Errorf("encode kubeconfig of %s: %w", u, err)
	}
	return data, nil
}

func (c *credentials) writeKubeconfig(u user, server string, ca []byte, file string) error {
	data, err := c.kubeconfig(u, server, ca)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", u, err)
	}
	return nil
}
