// Package certificate makes the certificates of drivers' webhooks and checks whether they are still
// valid.
//
// Each certificate has its own CA, whose key is discarded after signing it: nobody can sign another
// certificate with it. The package does not access the cluster or the clock.
package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Lifetime is how long a certificate is valid. It is replaced in the last third.
const Lifetime = 90 * 24 * time.Hour

// backdate allows for clocks that are behind.
const backdate = 5 * time.Minute

const (
	blockCertificate = "CERTIFICATE"
	blockKey         = "PRIVATE KEY"
)

// Bundle is a certificate, its key, and the CAs of the certificate and of earlier ones, in PEM.
type Bundle struct{ Cert, Key, CA []byte }

// New returns a certificate for servers of these names. Its CA list begins with its own CA,
// followed by the first kept CAs of old, which are those of the certificate that it replaces:
// clients trust both while the new one is distributed. Invalid entries of old are left out.
func New(now time.Time, names []string, old []byte, kept int) (Bundle, error) {
	authority := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "sk-driver authority"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	authorityKey, err := complete(authority, now)
	if err != nil {
		return Bundle{}, err
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return Bundle{}, fmt.Errorf("create a CA certificate: %w", err)
	}
	leaf := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "sk-driver"},
		DNSNames:              names,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafKey, err := complete(leaf, now)
	if err != nil {
		return Bundle{}, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, authority, leafKey.Public(), authorityKey)
	if err != nil {
		return Bundle{}, fmt.Errorf("create a certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return Bundle{}, fmt.Errorf("encode a key: %w", err)
	}
	return Bundle{
		Cert: encode(blockCertificate, leafDER),
		Key:  encode(blockKey, keyDER),
		CA:   append(encode(blockCertificate, authorityDER), first(old, kept)...),
	}, nil
}

// complete sets the serial number and validity of a template, and generates a key.
func complete(template *x509.Certificate, now time.Time) (*ecdsa.PrivateKey, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("generate a serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = now.Add(-backdate), now.Add(Lifetime)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	return key, nil
}

// Check returns an error unless a certificate is valid for these names, is so for at least a third
// of its lifetime, and is signed by one of its CAs.
func Check(bundle Bundle, now time.Time, names []string) error {
	pair, err := tls.X509KeyPair(bundle.Cert, bundle.Key)
	if err != nil {
		return fmt.Errorf("read certificate and key: %w", err)
	}
	leaf := pair.Leaf
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle.CA) {
		return fmt.Errorf("the certificate has no CA")
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); leaf.NotAfter.Sub(now) < life/3 {
		return fmt.Errorf("the certificate expires on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	for _, name := range names {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: now}); err != nil {
			return fmt.Errorf("the certificate is invalid for %s: %w", name, err)
		}
	}
	return nil
}

// first returns the first count distinct certificates of a PEM text.
func first(text []byte, count int) []byte {
	var kept []byte
	for count > 0 {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		one := encode(blockCertificate, block.Bytes)
		if _, err := x509.ParseCertificate(block.Bytes); block.Type != blockCertificate || err != nil || bytes.Contains(kept, one) {
			continue
		}
		kept = append(kept, one...)
		count--
	}
	return kept
}

func encode(kind string, der []byte) []byte {
	var text bytes.Buffer
	// It has no headers, and the buffer returns no errors.
	_ = pem.Encode(&text, &pem.Block{Type: kind, Bytes: der})
	return text.Bytes()
}
