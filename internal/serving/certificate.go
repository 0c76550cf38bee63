package serving

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// CertificateFiles returns a TLS configuration with a certificate and its key from files, which are
// read again when they have changed, since certificates are replaced while a server runs. If that
// fails, the error is logged, and the old certificate stays in use.
func CertificateFiles(certFile, keyFile string, logger *slog.Logger) (*tls.Config, error) {
	c := &certificateFiles{certFile: certFile, keyFile: keyFile, logger: logger}
	if err := c.load(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

type certificateFiles struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu      sync.Mutex // guards what is below
	current *tls.Certificate
	stamps  [2]stamp // of the files when they were last read
}

// stamp differs if a file has changed.
type stamp struct {
	modified time.Time
	size     int64
}

func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if stamps, err := c.stamp(); err != nil || stamps == c.stamps {
		// A missing file is being replaced.
		return c.current, nil
	}
	if err := c.load(); err != nil {
		c.logger.Error("read the changed TLS certificate", "error", err)
	}
	return c.current, nil
}

// load reads the files. It stores the stamps of invalid files, too, so that the error is logged
// once.
func (c *certificateFiles) load() error {
	stamps, err := c.stamp()
	if err != nil {
		return fmt.Errorf("read the TLS certificate: %w", err)
	}
	c.stamps = stamps
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("read the TLS certificate %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current = &pair
	return nil
}

func (c *certificateFiles) stamp() (stamps [2]stamp, err error) {
	for i, path := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return stamps, err
		}
		stamps[i] = stamp{info.ModTime(), info.Size()}
	}
	return stamps, nil
}
