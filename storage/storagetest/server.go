package storagetest

import (
	"context"
	"io/fs"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/storage"
)

// Server is a storage for tests, with a bucket in it.
type Server struct {
	// Env is the environment to access the storage, with credentials that have all permissions.
	Env map[string]string
	// Wrong are environments with invalid credentials, by what is wrong with them.
	Wrong map[string]map[string]string
	// Prefix is the prefix of the URLs of objects in the bucket, Missing the prefix of those in a
	// bucket that does not exist.
	Prefix, Missing string
	// Proxy is the proxy between clients and the server; nil for files.
	Proxy *Proxy

	objects    func(context.Context) ([]string, error)
	unfinished func(context.Context) ([]string, error)
	// removes unfinished uploads, as a lifecycle rule would; may be nil
	sweep func(context.Context) error
}

// Client returns a client of the storage. It is closed when the test ends.
func (s *Server) Client(t testing.TB, options storage.Options) *storage.Client {
	t.Helper()
	if options.Getenv == nil {
		options.Getenv = Getenv(s.Env)
	}
	c := storage.New(options)
	t.Cleanup(c.Close)
	return c
}

// Objects returns the keys of all objects, sorted.
func (s *Server) Objects(t testing.TB) []string { return list(t, s.objects) }

// Unfinished returns the keys of all uploads that were neither finished nor aborted.
func (s *Server) Unfinished(t testing.TB) []string { return list(t, s.unfinished) }

func list(t testing.TB, f func(context.Context) ([]string, error)) []string {
	t.Helper()
	keys, err := f(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// Getenv returns a lookup function for variables.
func Getenv(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// with returns an environment with one variable set to another value.
func with(env map[string]string, name, value string) map[string]string {
	env = maps.Clone(env)
	env[name] = value
	return env
}

// newHTTPClient returns a client that does not use the proxy.
func newHTTPClient(t testing.TB) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Files returns a directory of the test as a storage.
func Files(t testing.TB) *Server {
	dir := t.TempDir()
	find := func(partial bool) func(context.Context) ([]string, error) {
		return func(context.Context) ([]string, error) {
			var keys []string
			err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".partial") == partial {
					keys = append(keys, strings.TrimPrefix(path, dir+"/"))
				}
				return err
			})
			return keys, err
		}
	}
	return &Server{
		Prefix:     dir + "/",
		Missing:    dir + "/missing/",
		objects:    find(false),
		unfinished: find(true),
	}
}
