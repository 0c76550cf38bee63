package trace

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestCreate_Expected writes files in place with right and wrong guesses of the number of events.
// The bytes must be the same as with the exact number.
func TestCreate_Expected(t *testing.T) {
	for _, events := range []int{0, 1, 15, 16, 1000, 1<<16 - 1, 1 << 16} {
		for _, expected := range []int{1, 15, 16, 1 << 15, 1 << 16, 1 << 20} {
			for _, extension := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d events, %d expected, extension %t", events, expected, extension), func(t *testing.T) {
					tail := &Tail{}
					if extension {
						tail.Extension = []byte{0x81, 0xa7, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0x01}
					}
					var want bytes.Buffer
					known, err := NewWriter(&want, &Config{}, WriterOptions{})
					if err != nil {
						t.Fatal(err)
					}
					path := filepath.Join(t.TempDir(), "out.sktrace")
					guessed, err := Create(path, &Config{}, WriterOptions{Expected: expected})
					if err != nil {
						t.Fatal(err)
					}
					for i := range events {
						for _, write := range []func(*Event) error{known.WriteEvent, guessed.WriteEvent} {
							if err := write(&Event{Time: int64(i)}); err != nil {
								t.Fatal(err)
							}
						}
					}
					for _, finish := range []func(*Tail) error{known.Finish, guessed.Finish} {
						if err := finish(tail); err != nil {
							t.Fatal(err)
						}
					}
					got, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(got, want.Bytes()) {
						t.Errorf("got %d bytes that differ from the %d of a trace whose number of events was known", len(got), want.Len())
					}
				})
			}
		}
	}
}
