package trace

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressed returns compressed data.
func compressed(t testing.TB, f Format, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if f == FormatZstd {
		var err error
		if w, err = zstd.NewWriter(&b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRead_Compressed(t *testing.T) {
	plain := pack(eventsOf(podManifest))
	want, err := Read(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Format{FormatGzip, FormatZstd} {
		data := compressed(t, f, plain)
		half := len(plain) / 2
		for name, source := range map[string]io.Reader{
			"at once":       bytes.NewReader(data),
			"byte by byte":  iotest.OneByteReader(bytes.NewReader(data)),
			"with its end":  iotest.DataErrReader(bytes.NewReader(data)),
			"in two frames": bytes.NewReader(append(compressed(t, f, plain[:half]), compressed(t, f, plain[half:])...)),
		} {
			t.Run(string(f)+" "+name, func(t *testing.T) {
				got, err := Read(source)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, sameTrace()); diff != "" {
					t.Errorf("decompressed (-plain +got):\n%s", diff)
				}
			})
		}
	}
}

func TestFile_RewindCompressed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sktrace.zst")
	if err := os.WriteFile(path, compressed(t, FormatZstd, pack(eventsOf(podManifest))), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for range 2 {
		if _, err := file.Tail(); err != nil {
			t.Fatal(err)
		}
		if err := file.Rewind(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRead_CompressedMalformed(t *testing.T) {
	plain := pack(traceFields)
	gzipped, zipped := compressed(t, FormatGzip, plain), compressed(t, FormatZstd, plain)
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		source io.Reader
		want   string
		class  error
	}{
		"cut off":          {bytes.NewReader(gzipped[:len(gzipped)-4]), "the data compressed with gzip ends early", ErrTruncated},
		"cut off in zstd":  {bytes.NewReader(zipped[:len(zipped)-2]), "the data compressed with zstd ends early", ErrTruncated},
		"only the magic":   {strings.NewReader("\x1f\x8b"), "byte 0: the data compressed with gzip ends early", ErrTruncated},
		"other bytes":      {bytes.NewReader(append(bytes.Clone(gzipped), "more than a header"...)), "decompress: gzip: invalid header", nil},
		"broken source":    {io.MultiReader(bytes.NewReader(gzipped[:20]), iotest.ErrReader(broken)), "broken", broken},
		"twice":            {bytes.NewReader(compressed(t, FormatGzip, zipped)), "decompressed byte 0: want a trace, got a file compressed with zstd", ErrType},
		"json":             {bytes.NewReader(compressed(t, FormatGzip, []byte(`{"ts": 1}`))), "decompressed byte 0: want a trace, got a trace as JSON", ErrType},
		"malformed":        {bytes.NewReader(compressed(t, FormatZstd, append(bytes.Clone(plain), mNil))), "want the end of the trace, got more bytes", ErrTrailing},
		"too large window": {strings.NewReader("\x28\xb5\x2f\xfd\x00\xff\x00\x00\x00"), "decompress: window size exceeded: at most 128 MiB are read", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(test.source)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if test.class != nil && !errors.Is(err, test.class) {
				t.Errorf("got %v, which is not %v", err, test.class)
			}
		})
	}
}

// TestRead_Bomb checks that data which is small when compressed does not fill the memory.
func TestRead_Bomb(t *testing.T) {
	// A trace with a long list of nulls under a key that is skipped.
	const size = 256 << 20
	var begin bytes.Buffer
	begin.Write([]byte{mFixMap + 1, mFixStr + 1, 'x', mArray32, 0x10, 0, 0, 0})
	for _, f := range []Format{FormatGzip, FormatZstd} {
		t.Run(string(f), func(t *testing.T) {
			read, write := io.Pipe()
			go func() {
				var w io.WriteCloser = gzip.NewWriter(write)
				if f == FormatZstd {
					w, _ = zstd.NewWriter(write) // no options that can be invalid
				}
				_, err := io.Copy(w, io.MultiReader(bytes.NewReader(begin.Bytes()), io.LimitReader(nulls{}, size-1)))
				_ = write.CloseWithError(errors.Join(err, w.Close()))
			}()
			plain, err := Decompress(read)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			n, err := io.Copy(io.Discard, plain)
			runtime.ReadMemStats(&after)
			if err != nil || n != size-1+int64(begin.Len()) {
				t.Errorf("got %d bytes and %v", n, err)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("allocated %d MiB", grown>>20)
			}
		})
	}
}

// nulls is an endless source of null values.
type nulls struct{}

func (nulls) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = mNil
	}
	return len(b), nil
}
