package nodes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIsQuantity(t *testing.T) {
	for text, want := range map[string]bool{
		"1": true, "500m": true, "128Gi": true, "1e18": true, "1E3": true, "12E": true, "2Ei": true, "1e-9": true, "1e+00003": true, "": true, "x": true,
		"1e100": false, "1e999999999": false, "1E-999999999": false, "1e+2147483648": false, strings.Repeat("9", 65): false,
	} {
		if got := IsQuantity(text); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
}

// TestQuantities_OutOfRange checks that quantities out of range are rejected without being parsed.
func TestQuantities_OutOfRange(t *testing.T) {
	if _, err := ParseSpec("3", "cpu=1e999999999"); err == nil || !strings.Contains(err.Error(), `"1e999999999" is more than any node has`) {
		t.Errorf("a shape: got error %v", err)
	}
	if _, err := ParseSpec("3", "hugepages-1e999999999=1"); err == nil {
		t.Error("a page size was accepted")
	}
	for _, amount := range []string{`"1e999999999"`, "1e999999999", `"1e-999999999"`} {
		file := filepath.Join(t.TempDir(), "nodes.json")
		manifest := `{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "status": {"capacity": {"cpu": ` + amount + `, "memory": "1Gi", "pods": 10}}}`
		if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Prepare(Spec{File: file}, nil)
		if err == nil || !strings.Contains(err.Error(), "status.capacity.cpu") || !strings.Contains(err.Error(), "out of range") {
			t.Errorf("%s: got error %v, want one about status.capacity.cpu", amount, err)
		}
	}
}
