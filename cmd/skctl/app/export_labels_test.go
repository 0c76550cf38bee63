package app

import (
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// A parsed selector matches the same objects as the text.
func TestLabelSelector_Means(t *testing.T) {
	var sets []labels.Set
	for _, app := range []string{"", "x", "y"} {
		for _, tier := range []string{"", "x", "y", "z"} {
			set := labels.Set{"app": app, "tier": tier}
			maps.DeleteFunc(set, func(_, value string) bool { return value == "" })
			sets = append(sets, set)
		}
	}
	for _, text := range []string{
		"app=x", "app==x", "app!=x", "app", "!app", "app in (x,y)", "app notin (x,y)", "app=x,tier!=y", "app=x,app=y", "app=x,app=x", "app!=x,app!=y,tier",
		"tier in (z)", "app=x,!tier", "app=", "app!=",
	} {
		read, err := labelSelector(text)
		if err != nil {
			t.Errorf("labelSelector(%q): %v", text, err)
			continue
		}
		got, err := metav1.LabelSelectorAsSelector(&read)
		if err != nil {
			t.Errorf("labelSelector(%q) = %+v: %v", text, read, err)
			continue
		}
		want, err := labels.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(sets, func(set labels.Set) bool { return got.Matches(set) != want.Matches(set) })
		if i >= 0 {
			t.Errorf("labelSelector(%q) = %+v, which does not treat %v as the text does", text, read, sets[i])
		}
	}
}
