package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

type certificate struct{ cert, key string }

// newCertificate writes a certificate for this machine, and its key, into a folder.
func newCertificate(t *testing.T, dir, name string) certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	c := certificate{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
	write(t, c.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, c.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	return c
}

func (c certificate) pool(t *testing.T) *x509.CertPool {
	t.Helper()
	data, err := os.ReadFile(c.cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	return pool
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	files := newCertificate(t, dir, "one")
	config, err := CertificateFiles(files.cert, files.key, discard())
	if err != nil {
		t.Fatal(err)
	}
	// Two files written in the same instant, with contents of one length, would look the same.
	stamp := time.Now().Add(-time.Hour)
	expect := func(step, want string) {
		t.Helper()
		got, err := config.GetCertificate(&tls.ClientHelloInfo{})
		if err != nil || got.Leaf.Subject.CommonName != want {
			t.Errorf("%s: the certificate is of %v, %v, want %s", step, got.Leaf.Subject, err, want)
		}
	}
	touch := func() {
		stamp = stamp.Add(time.Minute)
		for _, path := range []string{files.cert, files.key} {
			if err := os.Chtimes(path, stamp, stamp); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect("at first", "one")
	newCertificate(t, dir, "two")
	touch()
	expect("replaced", "two")
	write(t, files.key, []byte("no key"))
	touch()
	expect("broken", "two")
	if err := os.Remove(files.cert); err != nil {
		t.Fatal(err)
	}
	expect("missing", "two")
	newCertificate(t, dir, "three")
	touch()
	expect("repaired", "three")
}

func TestCertificateFiles_Wrong(t *testing.T) {
	files := newCertificate(t, t.TempDir(), "one")
	write(t, files.key, []byte("no key"))
	if _, err := CertificateFiles(files.cert, files.key, discard()); err == nil {
		t.Error("a broken key is accepted")
	}
	if _, err := CertificateFiles("/no/such", files.key, discard()); err == nil {
		t.Error("a missing certificate is accepted")
	}
}
