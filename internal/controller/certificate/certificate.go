// Package certificate makes the certificates of drivers' webhooks, and says when one is to be replaced.
//
// Each has an authority of its own, whose key is forgotten as soon as it has signed: nobody can make another certificate
// that it vouches for. The package reads no clock and no cluster.
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

// Lifetime is how long a certificate is good for, of which the last third is for its replacement.
const Lifetime = 90 * 24 * time.Hour

// backdate allows for clocks that are behind.
const backdate = 5 * time.Minute

const (
	blockCertificate = "CERTIFICATE"
	blockKey         = "PRIVATE KEY"
)

// Bundle is a certificate with its key and the authorities that vouch for it and for the one before it, in PEM.
type Bundle struct{ Cert, Key, CA []byte }

// New makes a certificate for servers of these names. Of old, the authorities of the certificate that it replaces, the
// first so many are kept, so that clients trust both while the new one spreads; what is no certificate in it is left out.
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
		return Bundle{}, fmt.Errorf("make an authority: %w", err)
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
		return Bundle{}, fmt.Errorf("make a certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return Bundle{}, fmt.Errorf("write a key: %w", err)
	}
	return Bundle{
		Cert: encode(blockCertificate, leafDER),
		Key:  encode(blockKey, keyDER),
		CA:   append(encode(blockCertificate, authorityDER), first(old, kept)...),
	}, nil
}

// complete gives a template its serial number and validity, and makes a key.
func complete(template *x509.Certificate, now time.Time) (*ecdsa.PrivateKey, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = now.Add(-backdate), now.Add(Lifetime)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

// Check tells whether a certificate serves for these names, will for at least a third of its life, and is vouched for by
// its authorities. If not, the error says why.
func Check(bundle Bundle, now time.Time, names []string) error {
	pair, err := tls.X509KeyPair(bundle.Cert, bundle.Key)
	if err != nil {
		return fmt.Errorf("read certificate and key: %w", err)
	}
	leaf := pair.Leaf
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bundle.CA) {
		return fmt.Errorf("no authority vouches for the certificate")
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); leaf.NotAfter.Sub(now) < life/3 {
		return fmt.Errorf("the certificate ends on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	for _, name := range names {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: now}); err != nil {
			return fmt.Errorf("the certificate is no good for %s: %w", name, err)
		}
	}
	return nil
}

// first gives so many different certificates of some PEM text.
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
	_ = pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}) // it has no headers, and the buffer takes everything
	return text.Bytes()
}
