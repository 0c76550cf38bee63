package controlplane

import (
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"strings"

	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Users that are no components.
const (
	userAdmin  = "simkube-admin"
	userReplay = "simkube"
)

// account is a user of the API server, with a bearer token that is made for one run. It is a token
// rather than a client certificate since the API server verifies a certificate's chain anew with
// every request.
type account struct {
	user   string
	groups []string
	token  string
}

func newAccount(name string, groups ...string) account {
	return account{user: name, groups: groups, token: rand.Text()}
}

// newAdmin returns an account that may do everything.
func newAdmin(name string) account { return newAccount(name, user.SystemPrivilegedGroup) }

// writeTokenFile writes the API server's --token-auth-file.
func writeTokenFile(file string, accounts []account) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, a := range accounts {
		record := []string{a.token, a.user, a.user}
		if len(a.groups) > 0 {
			record = append(record, strings.Join(a.groups, ","))
		}
		_ = w.Write(record) // to memory, with a valid separator: it can't fail
	}
	w.Flush()
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the token file: %w", err)
	}
	return nil
}

// restConfig returns how the user reaches the server through transport, without a client-side rate
// limit.
func (a *account) restConfig(server string, transport http.RoundTripper) *rest.Config {
	return &rest.Config{
		Host:        server,
		BearerToken: a.token,
		Transport:   transport,
		QPS:         -1,
		UserAgent:   a.user,
	}
}

// writeKubeconfig writes a kubeconfig for the user. provider is nil, or says how to reach the
// server without the network.
func (a *account) writeKubeconfig(file, server string, ca []byte, provider *clientcmdapi.AuthProviderConfig) error {
	const name = "simkube"
	data, err := clientcmd.Write(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: server, CertificateAuthorityData: ca}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{a.user: {Token: a.token, AuthProvider: provider}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: a.user}},
		CurrentContext: name,
	})
	if err != nil {
		return fmt.Errorf("encode kubeconfig of %s: %w", a.user, err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", a.user, err)
	}
	return nil
}
