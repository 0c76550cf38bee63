package trace

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func pointerObject() map[string]any {
	return map[string]any{
		"spec": map[string]any{
			"tasks": []any{
				map[string]any{"name": "a", "template": map[string]any{"x": int64(1)}},
				map[string]any{"name": "b"},
				nil,
				map[string]any{"name": "c", "template": map[string]any{"x": int64(3)}},
			},
			"nothing": nil, "a/b": map[string]any{"~": "tilde"}, "number": int64(5), "none": []any{},
			"lists": []any{[]any{"p", "q"}, []any{"r"}},
		},
	}
}

func TestResolvePaths(t *testing.T) {
	tests := []struct {
		path    string
		want    []string
		wantErr string
	}{
		{path: "", want: []string{""}},
		{path: "/spec", want: []string{"/spec"}},
		{path: "/spec/tasks/*/template", want: []string{"/spec/tasks/0/template", "/spec/tasks/3/template"}},
		{path: "/spec/tasks/1/name", want: []string{"/spec/tasks/1/name"}},
		{path: "/spec/lists/*/*", want: []string{"/spec/lists/0/0", "/spec/lists/0/1", "/spec/lists/1/0"}},
		{path: "/spec/a~1b/~0", want: []string{"/spec/a~1b/~0"}},
		{path: "/spec/none/*"},
		{path: "/spec/tasks/9/template"},
		{path: "/spec/nothing/*/template"},
		{path: "/spec/absent/template"},
		{path: "spec", wantErr: `path "spec": want a JSON Pointer, which is empty or begins with a slash`},
		{path: "/spec/~", wantErr: `path "/spec/~": after a ~ want 0 or 1`},
		{path: "/spec/*/template", wantErr: `path "/spec/*/template": at "/spec": want an array for "*", got a map`},
		{path: "/spec/number/*", wantErr: `path "/spec/number/*": at "/spec/number": want a map or an array for "*", got a number`},
		{path: "/spec/tasks/*/name/x", wantErr: `path "/spec/tasks/*/name/x": at "/spec/tasks/0/name": want a map or an array for "x", got a string`},
		{path: "/spec/tasks/01", wantErr: `path "/spec/tasks/01": at "/spec/tasks": want "*" or an index for an array, got "01"`},
		{path: "/spec/tasks/template", wantErr: `path "/spec/tasks/template": at "/spec/tasks": want "*" or an index for an array, got "template"`},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			obj := pointerObject()
			found, err := ResolvePaths(obj, test.path)
			if test.wantErr != "" {
				if err == nil || err.Error() != test.wantErr {
					t.Fatalf("got %v, want %s", err, test.wantErr)
				}
				if !errors.Is(err, ErrType) && !errors.Is(err, ErrValue) {
					t.Errorf("%v has no class", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range found {
				got = append(got, found[i].Pointer)
				found[i].Set(map[string]any{"set": found[i].Pointer})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, pointer := range test.want {
				again, err := ResolvePaths(obj, pointer)
				if err != nil || len(again) != 1 {
					t.Fatalf("resolve %s again: got %v, %v", pointer, again, err)
				}
				if diff := cmp.Diff(any(map[string]any{"set": pointer}), again[0].Value); diff != "" {
					t.Errorf("after Set (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestResolvePaths_Root(t *testing.T) {
	obj := pointerObject()
	found, err := ResolvePaths(obj, "")
	if err != nil {
		t.Fatal(err)
	}
	found[0].Set(obj)
	if diff := cmp.Diff(pointerObject(), obj); diff != "" {
		t.Errorf("set to itself (-want +got):\n%s", diff)
	}
}
