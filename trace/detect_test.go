package trace

import (
	"errors"
	"strings"
	"testing"
)

// formatTest is the beginning of a file and its format.
type formatTest struct {
	name, head string
	want       Format
}

func formats() []formatTest {
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	// The other keys are beyond what is examined.
	long := `{"resource": {"data": "` + strings.Repeat("x", FormatBytes) + `"}, "event": "Add"}`
	return []formatTest{
		{"nothing", "", FormatEmpty},
		{"white space", "\ufeff \r\n", FormatEmpty},
		{"version 2", "\x85\xa7version\x02", FormatTrace},
		{"version 1", "\x94\x80\x90", FormatTrace},
		{"gzip", "\x1f\x8b\x08\x00", FormatGzip},
		{"zstd", "\x28\xb5\x2f\xfd", FormatZstd},
		{"zstd after a skippable frame", "\x5a\x2a\x4d\x18", FormatZstd},
		{"tar", string(tar), FormatTar},
		{"zip", "PK\x03\x04", FormatZip},
		{"xz", "\xfd7zXZ\x00", FormatXZ},
		{"bzip2", "BZh91AY", FormatBzip2},
		{"parquet", "PAR1", FormatParquet},
		{"utf-16", "\xff\xfea\x00", FormatUTF16},
		{"binary", "a\x00b", FormatUnknown},
		{"not utf-8", "a\xffb", FormatUnknown},
		{"a character cut off", strings.Repeat("a", FormatBytes-1) + "\u00e9", FormatText},
		{"output of trace cat", `{"ts":1700000000,"applied_objs":[{"apiVersion":"v1","kind":"Pod"}]}`, FormatJSON},
		{"trace as one object", `{"version": 2, "config": {}, "events": [{"applied_objs": [{"kind": "Pod"}]}]}`, FormatJSON},
		{"only a version", `{"version": 2`, FormatJSON},
		{"event with a byte order mark", "\ufeff\n" + `{"applied_objs": []}`, FormatJSON},
		{"trace as yaml", "ts: 1\napplied_objs:\n- apiVersion: v1\n  kind: Pod\n", FormatYAML},
		{"json manifest", `{"apiVersion": "v1", "kind": "Event", "event": 1, "resource": 1}`, FormatManifests},
		{"json list", `{"items": [{"ts": 1}]}`, FormatManifests},
		{"yaml manifest", "# x\n---\nmetadata: {name: a}\nkind: Pod\napiVersion: v1\n", FormatManifests},
		{"yaml after a long comment", strings.Repeat("# Source: x\n---\n", 1<<13), FormatManifests},
		{"record", `{"time": "2025-01-01T00:00:00Z", "event": "Add", "resource": {"kind": "Pod"}}`, FormatSchedulerSimulator},
		{"array of records", "\r\n[\n" + `{"event": "Add", "time": 1`, FormatSchedulerSimulator},
		{"empty array before", `[] [{"resource": {"apiVersion": "v1"}}]`, FormatSchedulerSimulator},
		{"long record", long, FormatSchedulerSimulator},
		{"escaped quote", `{"a\"": "\"ts\": {", "resource": {}}`, FormatSchedulerSimulator},
		{"other json", `{"message": "not found", "code": 404}`, FormatOtherJSON},
		{"array of numbers", `[1, 2`, FormatOtherJSON},
		{"html", "\n<!DOCTYPE html><html>", FormatHTML},
		{"xml", `<?xml version="1.0"?><Error><Code>AccessDenied</Code>`, FormatXML},
		{"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", FormatLFSPointer},
		{"text", "hello", FormatText},
	}
}

func TestDetectFormat(t *testing.T) {
	for _, test := range formats() {
		t.Run(test.name, func(t *testing.T) {
			if got := DetectFormat([]byte(test.head)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestRead_NotTrace checks the errors for files that are not traces.
func TestRead_NotTrace(t *testing.T) {
	for _, test := range formats() {
		if test.want == FormatTrace || test.want == FormatGzip || test.want == FormatZstd {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.head))
			var not *NotTraceError
			if !errors.As(err, &not) {
				if test.want == FormatUnknown && errors.Is(err, ErrType) {
					return
				}
				t.Fatalf("got %v, want a *NotTraceError", err)
			}
			if not.Format != test.want {
				t.Errorf("got %s, want %s", not.Format, test.want)
			}
			if want := "byte 0: want a trace, got " + test.want.Description(); err.Error() != want {
				t.Errorf("got %q, want %q", err, want)
			}
		})
	}
}

func FuzzDetectFormat(f *testing.F) {
	for _, test := range formats() {
		f.Add([]byte(test.head))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if got := DetectFormat(head); got == "" || got.Description() == "" {
			t.Errorf("got %q", got)
		}
	})
}
