package tracerclient

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func TestClusterToken(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	if err := os.WriteFile(file, []byte("of-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	plugin := filepath.Join(dir, "plugin")
	script := "#!/bin/sh\necho '" + `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"of-a-plugin"}}` + "'\n"
	if err := os.WriteFile(plugin, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	exec := &clientcmdapi.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: plugin, InteractiveMode: clientcmdapi.NeverExecInteractiveMode}
	known, stranger := Pod{Namespace: "simkube", Name: "a", Known: true}, Pod{Namespace: "tools", Name: "b"}
	for name, tc := range map[string]struct {
		config  rest.Config
		pod     Pod
		refused bool
		want    string
		wantErr string
		asked   []string
	}{
		"a token":             {config: rest.Config{BearerToken: "mine"}, pod: known, want: "mine"},
		"a token file":        {config: rest.Config{BearerTokenFile: file}, pod: known, want: "of-a-file"},
		"a plugin":            {config: rest.Config{ExecProvider: exec}, pod: known, want: "of-a-plugin"},
		"none":                {pod: known, want: "token-of-sk-tracer-export", asked: []string{"token of simkube/sk-tracer-export"}},
		"a password":          {config: rest.Config{Username: "me", Password: "secret"}, pod: known, want: "token-of-sk-tracer-export", asked: []string{"token of simkube/sk-tracer-export"}},
		"as somebody else":    {config: rest.Config{BearerToken: "mine", Impersonate: rest.ImpersonationConfig{UserName: "x"}}, pod: known, want: "token-of-sk-tracer-export", asked: []string{"token of simkube/sk-tracer-export"}},
		"a stranger":          {config: rest.Config{BearerToken: "mine"}, pod: stranger, want: "token-of-sk-tracer-export", asked: []string{"token of tools/sk-tracer-export"}},
		"a stranger, refused": {config: rest.Config{BearerToken: "mine"}, pod: stranger, refused: true, wantErr: "get a token of the ServiceAccount tools/sk-tracer-export: forbidden", asked: []string{"token of tools/sk-tracer-export"}},
		"a broken token file": {config: rest.Config{BearerTokenFile: filepath.Join(dir, "none")}, pod: known, wantErr: "get the token of the kubeconfig: "},
	} {
		t.Run(name, func(t *testing.T) {
			c := &cluster{noTokens: tc.refused}
			_, client := c.start(t)
			got, err := ClusterToken(&tc.config, client, tc.pod)(t.Context())
			if got != tc.want || (err == nil) != (tc.wantErr == "") || err != nil && !strings.HasPrefix(err.Error(), tc.wantErr) {
				t.Errorf("token is %q, %v, want %q, %q", got, err, tc.want, tc.wantErr)
			}
			if diff := cmp.Diff(tc.asked, c.asked); diff != "" {
				t.Errorf("asked of the API server (-want +got):\n%s", diff)
			}
		})
	}
}
