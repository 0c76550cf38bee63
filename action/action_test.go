// Package action tests the GitHub Action of this repository by running the shell steps of
// action.yml as a runner does.
package action

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"simkube.io/simkube/internal/prerequisite"
)

type step struct {
	ID, If, Shell, Run, Uses string
	Env, With                map[string]string
}

type metadata struct {
	Name, Description string
	Branding          map[string]string
	Inputs            map[string]struct {
		Description, Default string
		Required             bool
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

func read(t *testing.T) metadata {
	t.Helper()
	text, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action metadata
	if err := yaml.UnmarshalStrict(text, &action); err != nil {
		t.Fatal(err)
	}
	return action
}

// job runs the steps of the action with some inputs in the environment of a runner.
type job struct {
	t         *testing.T
	inputs    map[string]string
	outputs   map[string]string // by step.name
	root      string            // the action's folder
	workspace string
	summary   string
	log       bytes.Buffer
}

func newJob(t *testing.T, inputs map[string]string) *job {
	t.Helper()
	for _, program := range []string{"bash", "jq", "xargs"} {
		if _, err := exec.LookPath(program); err != nil {
			prerequisite.Missing(t, prerequisite.Programs, "a GitHub runner has %s, this machine does not", program)
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	j := &job{t: t, inputs: map[string]string{}, outputs: map[string]string{}, root: root, workspace: t.TempDir()}
	for name, input := range read(t).Inputs {
		j.inputs[name] = input.Default
	}
	maps.Copy(j.inputs, inputs)
	return j
}

// run runs the shell steps until one fails, and returns its exit code.
func (j *job) run() int {
	j.t.Helper()
	for _, s := range read(j.t).Runs.Steps {
		if s.Run == "" || s.ID == "source" { // without this input, programs would be built
			continue
		}
		if code := j.step(s); code != 0 {
			return code
		}
	}
	return 0
}

func (j *job) step(s step) int {
	j.t.Helper()
	dir := j.t.TempDir()
	cmd := exec.CommandContext(j.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
	cmd.Dir = j.workspace
	cmd.Env = append(cmd.Environ(),
		"GITHUB_OUTPUT="+filepath.Join(dir, "output"), "GITHUB_PATH="+filepath.Join(dir, "path"), "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"))
	for name, value := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+j.expand(value))
	}
	cmd.Stdout, cmd.Stderr = &j.log, &j.log
	err := cmd.Run()
	if summary, readErr := os.ReadFile(filepath.Join(dir, "summary")); readErr == nil {
		j.summary += string(summary)
	}
	if output, readErr := os.ReadFile(filepath.Join(dir, "output")); readErr == nil {
		for line := range strings.Lines(string(output)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			j.outputs[s.ID+"."+name] = value
		}
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		j.t.Fatal(err)
	}
	return 0
}

// expand replaces expressions. An unknown one is an error.
func (j *job) expand(text string) string {
	j.t.Helper()
	return expression().ReplaceAllStringFunc(text, func(match string) string {
		name := expression().FindStringSubmatch(match)[1]
		switch {
		case name == "github.action_path":
			return j.root
		case name == "github.action_repository":
			return "simkube/simkube"
		case name == "runner.temp":
			return j.workspace
		case strings.HasPrefix(name, "inputs."):
			if value, ok := j.inputs[strings.TrimPrefix(name, "inputs.")]; ok {
				return value
			}
		case strings.HasPrefix(name, "steps."):
			if value, ok := j.outputs[strings.Replace(strings.TrimPrefix(name, "steps."), ".outputs", "", 1)]; ok {
				return value
			}
		}
		j.t.Fatalf("%s has no value", match)
		return ""
	})
}

func expression() *regexp.Regexp { return regexp.MustCompile(`\$\{\{ ([a-z_.-]+) \}\}`) }

// Inputs and outputs are described and used, and none is inserted into a script as text, where it
// could be executed.
func TestMetadata(t *testing.T) {
	action := read(t)
	if action.Runs.Using != "composite" || action.Name == "" || action.Description == "" {
		t.Errorf("the action is %+v", action)
	}
	used := map[string]bool{}
	ids := map[string]bool{}
	for i, s := range action.Runs.Steps {
		if s.Run == "" == (s.Uses == "") || s.Run != "" && s.Shell != "bash" {
			t.Errorf("step %d needs either uses, or run and the shell bash: %+v", i, s)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %d: an input is part of the script: %s", i, s.Run)
		}
		for _, match := range regexp.MustCompile(`action/[a-z]+\.sh`).FindAllString(s.Run, -1) {
			if _, err := os.Stat("../" + match); err != nil {
				t.Errorf("step %d: %v", i, err)
			}
		}
		for _, value := range slices.Concat([]string{s.If}, slices.Collect(maps.Values(s.Env)), slices.Collect(maps.Values(s.With))) {
			for _, match := range regexp.MustCompile(`inputs\.([a-z]+)`).FindAllStringSubmatch(value, -1) {
				used[match[1]] = true
			}
			for _, match := range regexp.MustCompile(`steps\.([a-z]+)`).FindAllStringSubmatch(value, -1) {
				if !ids[match[1]] {
					t.Errorf("step %d uses step %s, which is not before it", i, match[1])
				}
			}
		}
		ids[s.ID] = true
	}
	for name, input := range action.Inputs {
		if input.Description == "" || !used[name] {
			t.Errorf("input %s is not described, or not used", name)
		}
		delete(used, name)
	}
	if len(used) > 0 {
		t.Errorf("these inputs are used, and there are none: %v", used)
	}
}

// The action runs on a small trace.
func TestSimulate(t *testing.T) {
	bin, err := filepath.Abs("../bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"skctl", "sk-cluster", "sk-cluster-virtual"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			prerequisite.Missing(t, prerequisite.Programs, "make build has not been run: %v", err)
		}
	}
	trace, err := filepath.Abs("../examples/first-steps.sktrace")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		inputs  map[string]string
		code    int
		summary []string
		log     string
	}{
		"what is asserted holds": {
			map[string]string{
				"trace": trace, "args": `--nodes 3 --node-shape "cpu=8,memory=32Gi,pods=110"` + "\n--seed 1",
				"asserts": ".outcome.pods.neverScheduled == 0\n\n.outcome.nodes.count == 3\n",
			},
			0,
			[]string{"### Simulation of first-steps.sktrace", "first-steps finished", "3 nodes", "| ✅ | <code>.outcome.nodes.count == 3</code>"},
			"✅ .outcome.pods.neverScheduled == 0",
		},
		"what is asserted does not hold": {
			map[string]string{"trace": trace, "asserts": ".outcome.pods.created > 1000"},
			3,
			[]string{"first-steps finished", "| ❌ | <code>.outcome.pods.created > 1000</code>"},
			"::error title=SimKube::asserted, and not so: .outcome.pods.created > 1000",
		},
		"no assertion": {
			map[string]string{"trace": trace, "asserts": ".outcome.pods.created >"},
			2,
			[]string{"first-steps finished"},
			"::error title=SimKube::.outcome.pods.created >:",
		},
		"no trace": {
			map[string]string{"trace": "missing.sktrace"},
			1,
			[]string{"### Simulation of missing.sktrace", "missing.sktrace"},
			"::error title=SimKube::skctl simulate ended with status 1",
		},
		"wrong usage": {
			map[string]string{"trace": trace, "args": "--nodes few $(touch run)"},
			2,
			[]string{"### Simulation of"},
			"::error title=SimKube::skctl simulate ended with status 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.inputs["bin"] = bin
			j := newJob(t, test.inputs)
			if code := j.run(); code != test.code {
				t.Errorf("exit code: got %d, want %d\n%s", code, test.code, &j.log)
			}
			for _, want := range test.summary {
				if !strings.Contains(j.summary, want) {
					t.Errorf("the summary lacks %q:\n%s", want, j.summary)
				}
			}
			if !strings.Contains(j.log.String(), test.log) {
				t.Errorf("the log lacks %q:\n%s", test.log, &j.log)
			}
			if _, err := os.Stat(filepath.Join(j.workspace, "run")); err == nil {
				t.Error("an argument was run as a command")
			}
			_, err := os.Stat(filepath.Join(j.workspace, "simkube-results", "report.html"))
			if has := err == nil; has != strings.Contains(j.summary, "finished") {
				t.Errorf("there is a report: %v", has)
			}
		})
	}
}

// The cache's key is the same for the same source.
func TestKey(t *testing.T) {
	j := newJob(t, nil)
	var keys []string
	for range 2 {
		if code := j.step(read(t).Runs.Steps[0]); code != 0 {
			t.Fatalf("exit code %d\n%s", code, &j.log)
		}
		keys = append(keys, j.outputs["source.key"])
	}
	if keys[0] != keys[1] || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(keys[0]) {
		t.Errorf("keys: %q", keys)
	}
}
