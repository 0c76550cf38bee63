package storage_test

import (
	"fmt"
	"io"
	"testing"

	"simkube.io/simkube/storage"
	"simkube.io/simkube/storage/storagetest"
)

// BenchmarkUpload writes an object on loopback in small pieces, as an encoder does. The allocated
// bytes per object show that only a few parts are held in memory, regardless of the size.
func BenchmarkUpload(b *testing.B) {
	for _, kind := range []struct {
		name  string
		start func(testing.TB) *storagetest.Server
	}{{"file", storagetest.Files}, {"s3", storagetest.StartS3}, {"google", storagetest.StartGoogle}, {"azure", storagetest.StartAzure}} {
		for _, size := range []int{64 << 20, 256 << 20} {
			b.Run(fmt.Sprintf("%s/%dMB", kind.name, size>>20), func(b *testing.B) {
				server := kind.start(b)
				client := server.Client(b, storage.Options{})
				location := parse(b, server.Prefix+"object")
				piece := make([]byte, 700)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					w, err := client.Create(b.Context(), location)
					must(b, err)
					for written := 0; written < size; written += len(piece) {
						_, err := w.Write(piece)
						must(b, err)
					}
					must(b, w.Commit())
				}
				r, err := client.Open(b.Context(), location)
				must(b, err)
				defer r.Close()
				_, err = io.CopyN(io.Discard, r, 1)
				must(b, err)
			})
		}
	}
}
