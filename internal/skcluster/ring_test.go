package skcluster

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/simulation"
)

func TestRing(t *testing.T) {
	r := newRing(100)
	for i := range 1000 {
		fmt.Fprintf(r, "line %d\n", i)
	}
	if got := len(r.bytes()); got < 100 || got > 200 {
		t.Errorf("%d bytes are kept, want 100 to 200", got)
	}
	if diff := cmp.Diff([]string{"line 998", "line 999"}, r.lines(2)); diff != "" {
		t.Errorf("last lines (-want +got):\n%s", diff)
	}
}

func TestReadMessages(t *testing.T) {
	note := `{"note":{"level":"info","text":"` + strings.Repeat("x", 200_000) + `"}}`
	var got []string
	err := readMessages(strings.NewReader("\n"+note+"\n\n"+note), func(m simulation.Message) { got = append(got, m.Note.Text) })
	if err != nil || len(got) != 2 || len(got[0]) != 200_000 {
		t.Errorf("got %d messages, %v, want 2 whole ones", len(got), err)
	}
}

// endless is a line without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestReadMessages_Endless(t *testing.T) {
	source := &endless{}
	err := readMessages(source, func(simulation.Message) { t.Error("a message out of nothing") })
	if err == nil || source.read > 2*maxLine {
		t.Errorf("read %d bytes, error %v: an endless line must end in an error", source.read, err)
	}
}

func FuzzReadMessages(f *testing.F) {
	f.Add([]byte(`{"note":{"level":"info","text":"x"}}`))
	f.Add([]byte(`{"progress":{"phase":"replaying","counts":{}}}` + "\n" + `{"done":{}}`))
	f.Add([]byte("{}\n[]\nnull"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = readMessages(bytes.NewReader(data), func(m simulation.Message) {
			if m.Note == nil && m.Progress == nil && m.Done == nil && m.Failed == nil {
				t.Fatal("an empty message got through")
			}
		})
	})
}
