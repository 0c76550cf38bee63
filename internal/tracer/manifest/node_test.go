package manifest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"
)

func TestParseNode(t *testing.T) {
	node, err := ParseNode(fixture(t, "node.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := node.Head, (Head{Name: "ip-10-0-31-7", UID: "u", ResourceVersion: "5", CreationTimestamp: 1709200800}); !cmp.Equal(got, want) {
		t.Errorf("head: got %+v, want %+v", got, want)
	}
	shape, rest, err := msgp.ReadIntfBytes(node.Shape)
	if err != nil || len(rest) > 0 {
		t.Fatalf("shape: %v; %d bytes follow", err, len(rest))
	}
	want := map[string]any{
		"labels":        map[string]any{"topology.kubernetes.io/zone": "eu-west-1a", "kubernetes.io/arch": "amd64"},
		"taints":        []any{map[string]any{"key": "spot", "value": "true", "effect": "NoSchedule"}},
		"unschedulable": true,
		"capacity":      map[string]any{"cpu": "8", "memory": "32Gi", "pods": "110"},
		"allocatable":   map[string]any{"cpu": "7910m", "memory": "30Gi", "pods": "110"},
	}
	if diff := cmp.Diff(want, shape); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
}

func TestParseNode_Shape(t *testing.T) {
	data := string(fixture(t, "node.json"))
	first, err := ParseNode([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, new string
		same     bool
	}{
		{`"lastHeartbeatTime":"2024-02-29T12:30:00Z"`, `"lastHeartbeatTime":"2024-02-29T12:35:00Z"`, true},
		{`"resourceVersion":"5"`, `"resourceVersion":"6"`, true},
		{`"status":"True"`, `"status":"Unknown"`, true},
		{`"topology.kubernetes.io/zone":"eu-west-1a","kubernetes.io/arch":"amd64"`, `"kubernetes.io/arch":"amd64","topology.kubernetes.io/zone":"eu-west-1a"`, true},
		{`"effect":"NoSchedule"`, `"effect":"NoExecute"`, false},
		{`,"unschedulable":true`, ``, false},
		{`"cpu":"7910m"`, `"cpu":"7900m"`, false},
	} {
		changed := strings.Replace(data, c.old, c.new, 1)
		if changed == data {
			t.Fatalf("%s is not in the node", c.old)
		}
		node, err := ParseNode([]byte(changed))
		if err != nil || bytes.Equal(node.Shape, first.Shape) != c.same {
			t.Errorf("%s: want the same shape %t, error %v", c.new, c.same, err)
		}
	}
	for data, want := range map[string]string{
		`{}`: "\x80", `{"metadata":{"labels":null},"spec":{},"status":null}`: "\x80", `{"spec":{"unschedulable":false}}`: "\x81\xadunschedulable\xc2",
	} {
		if node, err := ParseNode([]byte(data)); err != nil || string(node.Shape) != want {
			t.Errorf("%s: got %q, %v, want %q", data, node.Shape, err, want)
		}
	}
}
