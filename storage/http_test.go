package storage_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"simkube.io/simkube/storage"
)

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/trace":
			if _, password, _ := r.BasicAuth(); password != "secret" || r.URL.RawQuery != "sig=secret" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_, _ = w.Write([]byte("data"))
		case "/moved":
			http.Redirect(w, r, "/trace?"+r.URL.RawQuery, http.StatusFound)
		case "/short":
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("data"))
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/cut":
			panic(http.ErrAbortHandler)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	client := storage.New(storage.Options{})
	defer client.Close()
	host := strings.TrimPrefix(server.URL, "http://")

	for _, test := range []struct {
		address string
		kind    error
	}{
		{address: "http://user:secret@" + host + "/trace?sig=secret"},
		{address: "http://user:secret@" + host + "/moved?sig=secret"},
		{address: "http://user:secret@" + host + "/missing?sig=secret", kind: storage.ErrNotExist},
		{address: "http://user:other@" + host + "/trace?sig=secret", kind: storage.ErrPermission},
		{address: "http://user:secret@" + host + "/busy?sig=secret", kind: storage.ErrUnavailable},
		{address: "http://user:secret@" + host + "/cut?sig=secret", kind: storage.ErrUnavailable},
		{address: "http://user:secret@" + host + "/short?sig=secret", kind: storage.ErrUnavailable},
		{address: "http://user:secret@127.0.0.1:1/trace?sig=secret", kind: storage.ErrUnavailable},
	} {
		t.Run(test.address, func(t *testing.T) {
			location := parse(t, test.address)
			got, err := tryGet(t, client, location)
			if test.kind == nil {
				if err != nil || string(got) != "data" {
					t.Errorf("got %q and the error %v, want the data", got, err)
				}
				return
			}
			if !errors.Is(err, test.kind) {
				t.Errorf("got the error %v, want %v", err, test.kind)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), location.Bucket)) {
				t.Errorf("the error shows a secret, or does not say where: %v", err)
			}
		})
	}
	t.Run("write", func(t *testing.T) {
		location := parse(t, server.URL+"/trace")
		for _, err := range []error{put(t, client, location, nil), client.Check(t.Context(), location)} {
			if !errors.Is(err, storage.ErrReadOnly) {
				t.Errorf("got the error %v, want %v", err, storage.ErrReadOnly)
			}
		}
	})
}
