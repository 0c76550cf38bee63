package trace

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// addTraces adds all traces of the tests, valid and malformed, to the seeds of a fuzz target.
func addTraces(f *testing.F) {
	for _, data := range fixtures() {
		f.Add(data)
	}
	for _, test := range malformed() {
		if len(test.data) < 1<<12 {
			f.Add(test.data)
		}
	}
	for _, format := range []Format{FormatGzip, FormatZstd} {
		f.Add(compressed(f, format, pack(traceFields)))
	}
	for _, test := range formats() {
		f.Add([]byte(test.head))
	}
	for _, sample := range []string{"cronjob.sktrace", "bare-pods.sktrace"} {
		if data, err := os.ReadFile("../../shared/traces/" + sample); err == nil {
			f.Add(data)
		}
	}
}

// FuzzReader checks that every input is a usable trace, or an error with a position.
func FuzzReader(f *testing.F) {
	addTraces(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, err := Read(bytes.NewReader(data))
		again, errAgain := Read(iotest.HalfReader(bytes.NewReader(data)))
		if err != nil {
			var format *FormatError
			if f := DetectFormat(data); f == FormatGzip || f == FormatZstd {
				return // the offset is in the decompressed data, and the error may be the decompressor's
			}
			if !errors.As(err, &format) || format.Offset < 0 || format.Offset > int64(len(data)) {
				t.Errorf("got %v, want a *FormatError in %d bytes", err, len(data))
			}
			if errAgain == nil || errAgain.Error() != err.Error() {
				t.Errorf("in other pieces: got %v, want %v", errAgain, err)
			}
			return
		}
		if diff := cmp.Diff(tr, again, sameTrace()); diff != "" {
			t.Errorf("in other pieces (-want +got):\n%s", diff)
		}
		for _, e := range tr.Events {
			for i := range e.Applied {
				checkObject(t, &e.Applied[i])
			}
		}
	})
}

// FuzzReadWriteRead checks that a trace that was read is written and read back unchanged, and that
// the bytes no longer change.
func FuzzReadWriteRead(f *testing.F) {
	addTraces(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		inOrder(tr)
		written := mustWrite(t, tr)
		again := mustRead(t, written)
		for i := range tr.Events { // only the names of deleted objects are written
			for _, objs := range [][]Object{tr.Events[i].Deleted, again.Events[i].Deleted} {
				for j := range objs {
					if objs[j], err = parseObject(mustDeleted(t, &objs[j])); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if diff := cmp.Diff(tr, again, sameTrace()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := mustWrite(t, again); !bytes.Equal(got, written) {
			t.Errorf("written twice:\ngot  %x\nwant %x", got, written)
		}
	})
}

func mustDeleted(t *testing.T, obj *Object) []byte {
	t.Helper()
	b, err := obj.appendDeleted(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
