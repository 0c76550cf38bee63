package serving

import (
	"crypto/tls"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"simkube.io/simkube/internal/serving/servingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateFiles(t *testing.T) {
	dir := t.TempDir()
	files := servingtest.NewCertificate(t, dir, "one")
	config, err := CertificateFiles(files.Cert, files.Key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	// Two files of the same size that are written at the same instant would have the same stamp.
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
		for _, path := range []string{files.Cert, files.Key} {
			if err := os.Chtimes(path, stamp, stamp); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect("at first", "one")
	servingtest.NewCertificate(t, dir, "two")
	touch()
	expect("replaced", "two")
	write(t, files.Key, []byte("no key"))
	touch()
	expect("broken", "two")
	if err := os.Remove(files.Cert); err != nil {
		t.Fatal(err)
	}
	expect("missing", "two")
	servingtest.NewCertificate(t, dir, "three")
	touch()
	expect("repaired", "three")
}

func TestCertificateFiles_Wrong(t *testing.T) {
	files := servingtest.NewCertificate(t, t.TempDir(), "one")
	write(t, files.Key, []byte("no key"))
	if _, err := CertificateFiles(files.Cert, files.Key, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a broken key is accepted")
	}
	if _, err := CertificateFiles("/no/such", files.Key, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a missing certificate is accepted")
	}
}
