package results

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The description of the files names every key and column there is.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	_, schema, _ := strings.Cut(string(text), "## summary.json")
	summary, columns, ok := strings.Cut(schema, "## pods.parquet")
	if !ok {
		t.Fatal("docs/results.md has no section for pods.parquet")
	}
	for _, key := range tagged(reflect.TypeFor[Summary](), "json") {
		if !strings.Contains(summary, "`"+key+"`") && !strings.Contains(summary, "### "+key+":") {
			t.Errorf("summary.json: key %s is not described", key)
		}
	}
	for _, file := range []struct {
		name string
		row  reflect.Type
	}{
		{PodsFile, reflect.TypeFor[Pod]()},
		{NodesFile, reflect.TypeFor[NodeRow]()},
		{TimelineFile, reflect.TypeFor[TimelineRow]()},
		{EventsFile, reflect.TypeFor[EventRow]()},
		{DecisionsFile, reflect.TypeFor[DecisionRow]()},
	} {
		_, section, found := strings.Cut("\n## pods.parquet"+columns, "\n## "+file.name)
		section, _, _ = strings.Cut(section, "\n## ")
		if !found {
			t.Errorf("there is no section for %s", file.name)
		}
		for _, column := range tagged(file.row, "parquet") {
			if !strings.Contains(section, "`"+column+"`") {
				t.Errorf("%s: column %s is not described", file.name, column)
			}
		}
	}
}

// The description of repetitions.json names every key there is.
func TestDocs_Repetitions(t *testing.T) {
	text, err := os.ReadFile("../../docs/repetitions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, schema, ok := strings.Cut(string(text), "## repetitions.json")
	if !ok {
		t.Fatal("docs/repetitions.md has no section for repetitions.json")
	}
	for _, key := range tagged(reflect.TypeFor[Repetitions](), "json") {
		if !strings.Contains(schema, "`"+key+"`") {
			t.Errorf("key %s is not described", key)
		}
	}
	for _, status := range []RepetitionStatus{RunFinished, RunInterrupted, RunFailed, RunNotStarted} {
		if !strings.Contains(schema, "`"+string(status)+"`") {
			t.Errorf("status %s is not described", status)
		}
	}
}

// tagged returns the names in the tags of a struct and of those in it.
func tagged(of reflect.Type, tag string) []string {
	switch of.Kind() {
	case reflect.Slice, reflect.Pointer, reflect.Map:
		return tagged(of.Elem(), tag)
	case reflect.Struct:
	default:
		return nil
	}
	if of == reflect.TypeFor[time.Time]() {
		return nil
	}
	var names []string
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get(tag), ",")
		if name != "" {
			names = append(names, name)
		}
		names = append(names, tagged(field.Type, tag)...)
	}
	return names
}
