package order

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/trace"
)

func TestPieces(t *testing.T) {
	for name, c := range map[string]struct {
		applied, deleted []string
		turns            []Turn
		want             []string // the pieces: what each applies, and what it deletes
	}{
		"nothing in both":   {[]string{"web 1"}, []string{"other"}, nil, []string{"+web -other"}},
		"changed, deleted":  {[]string{"web 1", "x 1"}, []string{"web", "other"}, []Turn{{Object: 0}, {Object: 2}}, []string{"+web +x -web -other"}},
		"created again":     {[]string{"web 1", "x 1"}, []string{"web", "other"}, []Turn{{Object: 2}, {Object: 0}}, []string{"-web", "+web +x -other"}},
		"twice":             {[]string{"web 1"}, []string{"web", "web"}, []Turn{{Object: 1}, {Object: 0}, {Object: 2}}, []string{"-web", "+web -web"}},
		"in another order":  {[]string{"web 1", "web 2"}, nil, []Turn{{Object: 1}, {Object: 0}}, []string{"+web2", "+web"}},
		"one of two":        {[]string{"web 1", "x 1"}, []string{"web", "x"}, []Turn{{Object: 2}, {Object: 0}, {Object: 1}, {Object: 3}}, []string{"+x -web -x", "+web"}},
		"a namespace again": {[]string{"ns/app", "web 1"}, []string{"ns/app"}, []Turn{{Object: 2}, {Object: 0}}, []string{"-app", "+app +web"}},
	} {
		t.Run(name, func(t *testing.T) {
			event := trace.Event{Time: origin}
			for _, text := range c.applied {
				event.Applied = append(event.Applied, manifest(t, text))
			}
			for _, text := range c.deleted {
				event.Deleted = append(event.Deleted, manifest(t, text))
			}
			var got []string
			for _, piece := range Pieces(&event, c.turns) {
				if piece.Time != origin {
					t.Errorf("got a piece at %d, want %d", piece.Time, origin)
				}
				text := ""
				for _, o := range piece.Applied {
					text += " +" + o.Name()
					// The second version of two.
					if len(c.applied) == 2 && c.applied[1] == "web 2" && slices.Equal(o.Raw(), event.Applied[1].Raw()) {
						text += "2"
					}
				}
				for _, o := range piece.Deleted {
					text += " -" + o.Name()
				}
				got = append(got, text[1:])
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
