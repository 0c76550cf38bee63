package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"simkube.io/simkube/internal/instancetypes"
)

const fewTypes = `apiVersion: simkube.io/v1
kind: InstanceTypes
zones: [a, b]
spotShare: 0.5
overhead: {cpu: 100m}
types:
- {name: m.1, capacity: {cpu: 1, memory: 4Gi}, price: 0.05, startup: {median: 40s, p99: 1m10s}}
- {name: m.2, capacity: {cpu: 2, memory: 8Gi}, price: 0.1, labels: {family: m}}
- {name: a.4, architecture: arm64, capacity: {cpu: 4, memory: 8Gi}, price: 0.12}
- {name: g.4, capacity: {cpu: 4, memory: 16Gi, ephemeral-storage: 20Gi, nvidia.com/gpu: 2}, price: 1, zones: [b]}
- {name: x.4, capacity: {cpu: 4, memory: 16Gi, example.com/fpga: 1}, offerings: [{zone: c, capacityType: spot, price: 0.3}]}
`

func typesFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "types.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNodesTypes(t *testing.T) {
	file := typesFile(t, fewTypes)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"table": {nil, `
NAME   ARCH    CPU   MEMORY   GPUS   PRICE    SPOT     PER-CPU   ZONES
m.1    amd64   1     4Gi      -      0.0500   0.0250   0.0500    2
m.2    amd64   2     8Gi      -      0.1000   0.0500   0.0500    2
a.4    arm64   4     8Gi      -      0.1200   0.0600   0.0300    2
g.4    amd64   4     16Gi     2      1.0000   0.5000   0.2500    1
x.4    amd64   4     16Gi     -      -        0.3000   0.0750    1
`},
		"wide": {[]string{"-o", "wide", "--name", "[gm].?", "--sort", "price"}, `
NAME   ARCH    CPU   MEMORY   GPUS   PRICE    SPOT     PER-CPU   ZONES   OS      PODS   STORAGE   ALLOCATABLE-CPU   ALLOCATABLE-MEMORY   STARTUP     RESOURCES          ZONE-NAMES
m.1    amd64   1     4Gi      -      0.0500   0.0250   0.0500    2       linux   110    -         900m              4Gi                  40s/1m10s   -                  a,b
m.2    amd64   2     8Gi      -      0.1000   0.0500   0.0500    2       linux   110    -         1900m             8Gi                  -           -                  a,b
g.4    amd64   4     16Gi     2      1.0000   0.5000   0.2500    1       linux   110    20Gi      3900m             16Gi                 -           nvidia.com/gpu=2   b
`},
		"several flags": {[]string{"--arch", "amd64", "--min-cpu", "2", "--max-memory", "8Gi", "-o", "name"}, "\nm.2\n"},
		"GPUs":          {[]string{"--gpus", "1", "-o", "name"}, "\ng.4\n"},
		"resources":     {[]string{"--resource", "example.com/fpga", "--resource", "memory=1Gi", "-o", "name"}, "\nx.4\n"},
		"labels":        {[]string{"-l", "family=m", "-o", "name"}, "\nm.2\n"},
		"order":         {[]string{"--sort", "cpu-price", "-o", "name", "--min-cpu", "4"}, "\na.4\nx.4\ng.4\n"},
		"offerings": {[]string{"--capacity-type", "on-demand", "--zone", "b", "--max-price", "0.1"}, `
NAME   ARCH    CPU   MEMORY   GPUS   PRICE    SPOT   PER-CPU   ZONES
m.1    amd64   1     4Gi      -      0.0500   -      0.0500    1
m.2    amd64   2     8Gi      -      0.1000   -      0.0500    1
`},
		"YAML": {[]string{"-o", "yaml", "--zone", "b", "--name", "m.*"}, `
apiVersion: simkube.io/v1
kind: InstanceTypes
zones: [b]
spotShare: 0.5
overhead: {cpu: 100m}
types:
  - name: m.1
    capacity: {cpu: "1", memory: 4Gi}
    price: 0.05
    startup: {median: 40s, p99: 1m10s}
  - name: m.2
    labels: {family: m}
    capacity: {cpu: "2", memory: 8Gi}
    price: 0.1
`},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, append([]string{"nodes", "types", "--instance-types", file}, c.args...)...)
			if diff := cmp.Diff(c.want, "\n"+stdout); code != 0 || stderr != "" || diff != "" {
				t.Errorf("exit code %d, stderr %q, stdout (-want +got):\n%s", code, stderr, diff)
			}
		})
	}
}

// A list that was printed can be read again: it is the same.
func TestNodesTypes_Again(t *testing.T) {
	for _, format := range []string{"yaml", "json"} {
		_, stdout, _ := run(t, "nodes", "types", "--instance-types", "aws", "--capacity-type", "spot", "--name", "*.metal", "-o", format)
		list, err := instancetypes.Parse(format, []byte(stdout))
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Types) < 50 {
			t.Errorf("%s: it has only %d types", format, len(list.Types))
		}
		_, again, _ := run(t, "nodes", "types", "--instance-types", typesFile(t, stdout), "-o", format)
		if diff := cmp.Diff(stdout, again); diff != "" {
			t.Errorf("%s (-first +second):\n%s", format, diff)
		}
	}
}

func TestNodesTypes_Invalid(t *testing.T) {
	file := typesFile(t, fewTypes)
	broken := typesFile(t, strings.Replace(fewTypes, "price: 0.1,", "price: cheap,", 1))
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no subcommand": {[]string{"nodes"}, 2, "skctl: nodes: missing subcommand: must be types\n"},
		"many at once": {
			[]string{"nodes", "types", "-o", "xml", "--sort", "size", "--name", "[", "--capacity-type", "free", "--min-cpu", "few", "--max-memory", "-1", "--resource", "=2", "--gpus", "0", "--max-price", "cheap", "-l", "a=b=c"},
			2,
			`skctl: invalid --output "xml": must be table, wide, yaml, json or name
skctl: invalid --sort "size": must be name, cpu, memory, price or cpu-price
skctl: invalid --name "[": must be a pattern such as 'm5.*' or '[cm]?.*large'
skctl: invalid --capacity-type "free": must be on-demand or spot
skctl: invalid --min-cpu "few": must be a quantity of 0 or more, such as 4, 500m or 16Gi
skctl: invalid --max-memory "-1": must be a quantity of 0 or more, such as 4, 500m or 16Gi
skctl: invalid --resource "=2": must be a resource such as nvidia.com/gpu, or with an amount of more than 0, nvidia.com/gpu=2
skctl: invalid --gpus "0": must be a number of 1 or more
skctl: invalid --max-price "cheap": must be a number of US dollars per hour, 0 or more
skctl: invalid --selector "a=b=c": found '=', expected: ',' or 'end of string'
  hint: see skctl nodes types --help
`,
		},
		"bounds": {[]string{"nodes", "types", "--min-cpu", "4", "--max-cpu", "2"}, 2, `skctl: invalid --max-cpu "2": must be at least --min-cpu, 4` + "\n"},
		"values of no type": {
			[]string{"nodes", "types", "--instance-types", file, "--arch", "s390x", "--zone", "d", "--resource", "amd.com/gpu"},
			2,
			`skctl: invalid --arch "s390x": no type of ` + file + ` has it: must be amd64 or arm64
skctl: invalid --zone "d": no type of ` + file + ` has it: must be a, b or c
skctl: invalid --resource "amd.com/gpu": no type of ` + file + ` has it: must be cpu, ephemeral-storage, example.com/fpga, memory, nvidia.com/gpu or pods
`,
		},
		"no such list": {[]string{"nodes", "types", "--instance-types", "azure"}, 1, "skctl: read the instance types azure: no such file or directory\n  hint: the built-in lists are general and aws\n"},
		"broken file":  {[]string{"nodes", "types", "--instance-types", broken}, 1, "skctl: " + broken + ":8: invalid value \"cheap\": must be a number\n"},
		"nothing fits": {[]string{"nodes", "types", "--min-cpu", "1000"}, 1, "skctl: no instance type of general fits the flags\n  hint: to see all, run skctl nodes types --instance-types general\n"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, c.args...)
			if code != c.code || stdout != "" || !strings.HasPrefix(stderr, c.want) {
				t.Errorf("exit code %d, stdout %q, stderr:\n%s\nwant %d and\n%s", code, stdout, stderr, c.code, c.want)
			}
		})
	}
}

func TestNodesTypes_Completion(t *testing.T) {
	file := typesFile(t, fewTypes)
	for flag, want := range map[string]string{
		"--arch":           "amd64\narm64\n:4",
		"--zone":           "a\nb\nc\n:4",
		"--resource":       "cpu\nephemeral-storage\nexample.com/fpga\nmemory\nnvidia.com/gpu\npods\n:4",
		"--name":           "m.1\nm.2\na.4\ng.4\nx.4\n:4",
		"--capacity-type":  "on-demand\nspot\n:4",
		"--sort":           "name\ncpu\nmemory\nprice\ncpu-price\n:4",
		"--output":         "table\nwide\nyaml\njson\nname\n:4",
		"--instance-types": "general\naws\n:0",
		"--max-price":      ":4",
	} {
		_, stdout, _ := run(t, "__complete", "nodes", "types", "--instance-types", file, flag, "")
		if !strings.HasPrefix(stdout, want) {
			t.Errorf("%s: got %q, want %q", flag, stdout, want)
		}
	}
}

func TestNodesTypes_Schema(t *testing.T) {
	code, stdout, _ := run(t, "nodes", "types", "schema")
	if code != 0 || stdout != string(instancetypes.Schema()) {
		t.Errorf("exit code %d, %d bytes", code, len(stdout))
	}
}

const kwokFile = `[{"name": "c-2x-amd64-linux", "architecture": "amd64", "operatingSystems": ["linux"], "resources": {"cpu": "2", "memory": "4Gi"}, "color": "red",
"offerings": [{"Price": 0.05, "Available": true, "Requirements": [
  {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]}, {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}]}]}]
`

func TestNodesTypesImport(t *testing.T) {
	const want = `apiVersion: simkube.io/v1
kind: InstanceTypes
zones: [a]
overhead: {cpu: 100m, memory: 10Mi}
types:
  - name: c-2x-amd64-linux
    labels: {karpenter.kwok.sh/instance-cpu: "2", karpenter.kwok.sh/instance-family: c, karpenter.kwok.sh/instance-memory: 4Gi, karpenter.kwok.sh/instance-size: "2"}
    capacity: {cpu: "2", memory: 4Gi}
    price: 0.05
`
	file := typesFile(t, kwokFile)
	code, stdout, stderr := run(t, "nodes", "types", "import", file)
	if diff := cmp.Diff(want, stdout); code != 0 || diff != "" || stderr != "note: unknown field color is left out (1 type: c-2x-amd64-linux)\n" {
		t.Errorf("exit code %d, stderr %q, stdout (-want +got):\n%s", code, stderr, diff)
	}
	output := filepath.Join(t.TempDir(), "out.yaml")
	code, stdout, stderr = run(t, "nodes", "types", "import", file, "-o", output)
	written, err := os.ReadFile(output)
	if code != 0 || stdout != "" || err != nil || string(written) != want {
		t.Errorf("exit code %d, stdout %q, stderr %q, %v, file:\n%s", code, stdout, stderr, err, written)
	}
	for name, c := range map[string]struct{ text, want string }{
		"syntax":  {kwokFile[:100], ":1: invalid JSON: unexpected EOF\n"},
		"another": {fewTypes, ":1: invalid JSON: invalid character 'a' looking for beginning of value\n"},
		"value":   {strings.Replace(kwokFile, "0.05", `"x"`, 1), `:2: type "c-2x-amd64-linux": invalid offerings.Price: is string, must be number` + "\n"},
	} {
		file := typesFile(t, c.text)
		code, stdout, stderr := run(t, "nodes", "types", "import", file)
		if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "skctl: "+file+c.want) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q, want %q", name, code, stdout, stderr, c.want)
		}
	}
	if code, _, stderr := run(t, "nodes", "types", "import", "none.json"); code != 1 || !strings.Contains(stderr, "skctl: read none.json: no such file or directory") {
		t.Errorf("no file: exit code %d, stderr %q", code, stderr)
	}
}
