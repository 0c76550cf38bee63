package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

const (
	service = "sk-demo-driver-svc.simkube.svc"
	day     = 24 * time.Hour
)

func start() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }

func made(t *testing.T, now time.Time, names []string, old []byte) Bundle {
	t.Helper()
	bundle, err := New(now, names, old, 1)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func leafOf(t *testing.T, bundle Bundle) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(bundle.Cert)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// A certificate is valid until the last third of its lifetime.
func TestCheck_Life(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(start())
	bundle := made(t, clock.Now(), []string{service}, nil)
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, ""},
		{59 * day, ""},
		{60*day + time.Hour, "expires on 2030-04-01T00:00:00Z"},
		{91 * day, "expires on"},
	} {
		clock.SetTime(start().Add(step.after))
		err := Check(bundle, clock.Now(), []string{service})
		if (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("after %v: got %v, want %q", step.after, err, step.want)
		}
	}
}

func TestCheck_Broken(t *testing.T) {
	names := []string{service, "*.simkube.svc"}
	good := made(t, start(), names, nil)
	other := made(t, start(), names, nil)
	for name, tc := range map[string]struct {
		bundle Bundle
		names  []string
		want   string
	}{
		"good":              {good, names, ""},
		"another service":   {good, []string{"sk-other-driver-svc.simkube.svc"}, ""},
		"another namespace": {good, []string{"sk-demo-driver-svc.default.svc"}, "invalid for"},
		"empty":             {Bundle{}, names, "read certificate"},
		"no PEM":            {Bundle{Cert: []byte("x"), Key: good.Key, CA: good.CA}, names, "read certificate"},
		"another's key":     {Bundle{Cert: good.Cert, Key: other.Key, CA: good.CA}, names, "read certificate"},
		"no CA":             {Bundle{Cert: good.Cert, Key: good.Key}, names, "no CA"},
		"wrong authority":   {Bundle{Cert: good.Cert, Key: good.Key, CA: other.CA}, names, "invalid for"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(tc.bundle, start(), tc.names)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// Clients that have the new CAs trust the old certificate as well, and CAs do not accumulate.
func TestNew_Rotation(t *testing.T) {
	first := made(t, start(), []string{service}, nil)
	second := made(t, start().Add(61*day), []string{service}, first.CA)
	third := made(t, start().Add(122*day), []string{service}, second.CA)
	verify := func(leaf, ca Bundle, at time.Duration) error {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(ca.CA)
		_, err := leafOf(t, leaf).Verify(x509.VerifyOptions{DNSName: service, Roots: roots, CurrentTime: start().Add(at)})
		return err
	}
	if err := verify(first, second, 62*day); err != nil {
		t.Errorf("the old certificate is no longer trusted: %v", err)
	}
	if err := verify(second, second, 62*day); err != nil {
		t.Errorf("the new certificate is not trusted: %v", err)
	}
	if err := verify(second, first, 62*day); err == nil {
		t.Error("the new certificate is trusted through a CA that should have been dropped")
	}
	if got := bytes.Count(third.CA, []byte("BEGIN CERTIFICATE")); got != 2 {
		t.Errorf("got %d authorities after two rotations, want 2", got)
	}
	if got := made(t, start(), []string{service}, []byte("rubbish")); bytes.Count(got.CA, []byte("BEGIN")) != 1 {
		t.Errorf("an invalid entry is kept: %s", got.CA)
	}
}

// The CAs of several texts are kept without duplicates.
func TestNew_Kept(t *testing.T) {
	var all [][]byte
	for range 4 {
		all = append(all, made(t, start(), []string{service}, nil).CA)
	}
	old := bytes.Join([][]byte{all[0], []byte("rubbish\n"), all[1], all[0], all[1], all[2], all[3]}, nil)
	for _, tc := range []struct {
		kept int
		want [][]byte
	}{{0, nil}, {1, all[:1]}, {3, all[:3]}, {9, all}} {
		bundle, err := New(start(), []string{service}, old, tc.kept)
		if err != nil {
			t.Fatal(err)
		}
		if want := bytes.Join(tc.want, nil); !bytes.HasSuffix(bundle.CA, want) || bytes.Count(bundle.CA, []byte("BEGIN")) != 1+len(tc.want) {
			t.Errorf("%d kept: got %s", tc.kept, bundle.CA)
		}
	}
}
