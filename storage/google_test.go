package storage_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/storage"
	"simkube.io/simkube/storage/storagetest"
)

// TestGoogleCredentials uses a key file, a token service that verifies signatures made with the
// key, and a proxy that requires a token before the emulator, which accepts all requests.
func TestGoogleCredentials(t *testing.T) {
	t.Parallel()
	server := storagetest.StartGoogle(t)
	account, otherKey := newKey(t), newKey(t)
	tokens := httptest.NewServer(tokenService{&account.PublicKey})
	t.Cleanup(tokens.Close)
	location := parse(t, server.Prefix+"with-credentials")
	data := []byte("data")

	for _, test := range []struct {
		name   string
		key    *rsa.PrivateKey
		text   string // replaces the key
		status int    // response of the proxy to valid tokens
		kind   error
		reason string
	}{
		{name: "right key", key: account},
		{name: "key of somebody else", key: otherKey, kind: storage.ErrPermission, reason: "invalid_grant"},
		{name: "token is refused", key: account, status: 401, kind: storage.ErrPermission, reason: "401"},
		{name: "not permitted", key: account, status: 403, kind: storage.ErrPermission, reason: "403"},
		{name: "provider fails", key: account, status: 503, kind: storage.ErrUnavailable, reason: "503"},
		{name: "no JSON", text: "secret", kind: storage.ErrPermission, reason: "is not a service account key"},
		{name: "no key", text: `{"type":"service_account"}`, kind: storage.ErrPermission},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "key.json")
			text := test.text
			if test.key != nil {
				text = keyFile(t, test.key, tokens.URL)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			through := &tokenProxy{server: server.Proxy.Address(), status: test.status}
			t.Cleanup(through.transport.CloseIdleConnections)
			client := storage.New(storage.Options{
				Getenv:    storagetest.Getenv(map[string]string{"GOOGLE_SERVICE_ACCOUNT": file}),
				Transport: through,
			})
			t.Cleanup(client.Close)
			err := put(t, client, location, data)
			if test.kind == nil {
				if err != nil {
					t.Fatal(err)
				}
				if got := get(t, client, location); !bytes.Equal(got, data) {
					t.Errorf("got %q, want %q", got, data)
				}
				return
			}
			for _, err := range []error{err, client.Check(t.Context(), location)} {
				if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.reason) {
					t.Errorf("got the error %v, want %v with %q", err, test.kind, test.reason)
				}
				if err != nil && strings.Contains(err.Error(), "secret") {
					t.Errorf("the error shows what the file holds: %v", err)
				}
			}
		})
	}
}

func TestGoogleMissingKeyFile(t *testing.T) {
	client := storage.New(storage.Options{Getenv: storagetest.Getenv(map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere"})})
	defer client.Close()
	err := client.Check(t.Context(), parse(t, "gs://traces/a"))
	if !errors.Is(err, storage.ErrPermission) || !strings.Contains(err.Error(), "GOOGLE_APPLICATION_CREDENTIALS") {
		t.Errorf("got the error %v, want one that names the variable", err)
	}
}

func newKey(t *testing.T) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyFile(t *testing.T, key *rsa.PrivateKey, tokens string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type":         "service_account",
		"client_email": "exporter@project.iam.gserviceaccount.com",
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":    tokens,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const bearer = "a-token-of-the-tests"

// tokenService issues a token for a request signed by the account.
type tokenService struct{ account *rsa.PublicKey }

func (s tokenService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	claims, signature, _ := cutLast(r.FormValue("assertion"), ".")
	sum := sha256.Sum256([]byte(claims))
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || rsa.VerifyPKCS1v15(s.account, crypto.SHA256, sum[:], raw) != nil {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`)
		return
	}
	_, _ = io.WriteString(w, `{"access_token":"`+bearer+`","token_type":"Bearer","expires_in":3600}`)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// tokenProxy forwards requests with the token to an emulator, or responds with a status.
type tokenProxy struct {
	transport http.Transport
	server    string
	status    int
}

func (d *tokenProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "storage.googleapis.com" {
		return d.transport.RoundTrip(r)
	}
	status := d.status
	if r.Header.Get("Authorization") != "Bearer "+bearer {
		status = http.StatusUnauthorized
	}
	if status != 0 {
		if r.Body != nil {
			r.Body.Close()
		}
		return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", d.server, d.server
	return d.transport.RoundTrip(r)
}
