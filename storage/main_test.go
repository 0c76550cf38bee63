package storage_test

import (
	"io"
	"testing"

	"go.uber.org/goleak"

	"simkube.io/simkube/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t testing.TB, url string) storage.Location {
	t.Helper()
	location, err := storage.Parse(url)
	must(t, err)
	return location
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, client *storage.Client, location storage.Location, data []byte) error {
	t.Helper()
	w, err := client.Create(t.Context(), location)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}

func get(t testing.TB, client *storage.Client, location storage.Location) []byte {
	t.Helper()
	data, err := tryGet(t, client, location)
	must(t, err)
	return data
}

func tryGet(t testing.TB, client *storage.Client, location storage.Location) ([]byte, error) {
	t.Helper()
	r, err := client.Open(t.Context(), location)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
