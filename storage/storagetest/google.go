package storagetest

import (
	"context"
	"errors"
	"net"
	"testing"

	gstorage "cloud.google.com/go/storage"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

// StartGoogle starts an emulator of Google Cloud Storage, with a bucket in it. It accepts any
// credentials.
func StartGoogle(t testing.TB) *Server {
	t.Helper()
	const name = "traces"
	address := freeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := NewProxy(t, address)
	start(t, address, program(t, "fake-gcs-server"), "-scheme", "http", "-host", host, "-port", port, "-log-level", "warn",
		"-backend", "memory", "-external-url", "http://"+proxy.Address(), "-public-host", proxy.Address())
	client, err := gstorage.NewClient(t.Context(), option.WithoutAuthentication(), option.WithHTTPClient(newHTTPClient(t)),
		option.WithEndpoint("http://"+address+"/storage/v1/"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if err := client.Bucket(name).Create(t.Context(), "project", nil); err != nil {
		t.Fatal(err)
	}
	return &Server{
		Env:     map[string]string{"STORAGE_EMULATOR_HOST": proxy.Address()},
		Prefix:  "gs://" + name + "/",
		Missing: "gs://missing/",
		Proxy:   proxy,
		objects: func(ctx context.Context) ([]string, error) {
			var keys []string
			for objects := client.Bucket(name).Objects(ctx, nil); ; {
				object, err := objects.Next()
				if errors.Is(err, iterator.Done) {
					return keys, nil
				}
				if err != nil {
					return nil, err
				}
				keys = append(keys, object.Name)
			}
		},
		// Unfinished uploads cannot be listed. They expire after a week and are free of charge.
		unfinished: func(context.Context) ([]string, error) { return nil, nil },
	}
}
