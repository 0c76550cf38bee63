package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"simkube.io/simkube/internal/prerequisite"
)

type clusterStatus struct {
	Name, Status, Kubeconfig, Server, Version string
	PID                                       int
}

func (s *sandbox) clusters() []clusterStatus {
	s.t.Helper()
	r := s.skctl("cluster", "status", "-o", "json")
	r.check(s.t, done)
	var out []clusterStatus
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		s.t.Fatalf("%v: %s", err, r.stdout)
	}
	return out
}

func TestCluster(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	t.Cleanup(func() { // also if the test fails early
		cmd := exec.Command(binary(t, "skctl"), "cluster", "down")
		cmd.Env = s.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	up := s.skctl("cluster", "up", "--nodes", "2", "--node-shape", "cpu=4,memory=8Gi,pods=20")
	up.check(t, done)
	wants(t, "standard error", up.stderr, "cluster default is ready")

	clusters := s.clusters()
	if len(clusters) != 1 || clusters[0].Status != "running" || clusters[0].PID == 0 {
		t.Fatalf("clusters are %+v, want one that runs", clusters)
	}
	if !strings.HasPrefix(clusters[0].Server, "https://127.0.0.1:") {
		t.Errorf("the server is %s, want one that only this machine reaches", clusters[0].Server)
	}
	if want := "export KUBECONFIG=" + clusters[0].Kubeconfig + "\n"; up.stdout != want {
		t.Errorf("standard output is %q, want %q", up.stdout, want)
	}

	again := s.skctl("cluster", "up")
	again.check(t, done)
	wants(t, "standard error", again.stderr, "has been running since")
	if now := s.clusters(); now[0].PID != clusters[0].PID {
		t.Error("the second up started another process")
	}

	path := s.skctl("cluster", "kubeconfig", "--path")
	path.check(t, done)
	printed := s.skctl("cluster", "kubeconfig")
	printed.check(t, done)
	if data, err := os.ReadFile(strings.TrimSpace(path.stdout)); err != nil || string(data) != printed.stdout {
		t.Errorf("kubeconfig prints something else than what is in the file at --path (%v)", err)
	}
	t.Run("kubectl", func(t *testing.T) { s.kubectl(t, clusters[0].Kubeconfig) })

	_, dirs := s.child()
	down := s.skctl("cluster", "down")
	down.check(t, done)
	if left := processes(s.run); len(left) > 0 {
		t.Errorf("processes run on after down: %v", left)
	}
	gone(t, dirs)
	if left := s.clusters(); len(left) != 0 {
		t.Errorf("clusters after down: %+v", left)
	}
	s.skctl("cluster", "kubeconfig").check(t, failed)
	s.skctl("cluster", "down").check(t, done)
}

// kubectlPath returns the path of kubectl, or skips the test.
func kubectlPath(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs("../bin/kubectl")
	must(t, err)
	if _, statErr := os.Stat(program); statErr != nil {
		program, err = exec.LookPath("kubectl")
	}
	if err != nil {
		prerequisite.Missing(t, prerequisite.Programs, "kubectl is not on the PATH, nor in bin (make bin/kubectl)")
	}
	return program
}

// kubectl checks that kubectl works, and that a pod runs on a simulated node.
func (s *sandbox) kubectl(t *testing.T, kubeconfig string) {
	program := kubectlPath(t)
	kubectl := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append([]string{"--kubeconfig", kubeconfig}, args...)...)
		cmd.Env = s.env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
	if got := strings.Fields(kubectl("get", "nodes", "-o", "name")); len(got) != 2 {
		t.Errorf("nodes are %v, want 2", got)
	}
	kubectl("run", "one", "--image=example.com/one:1",
		`--overrides={"spec":{"nodeSelector":{"type":"virtual"},"tolerations":[{"key":"kwok-provider","operator":"Exists","effect":"NoSchedule"}]}}`)
	kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=60s")
	kubectl("delete", "pod", "one", "--timeout=60s")
	kubectl("get", "simulationroots")
}

// A lasting cluster with Karpenter makes nodes for pods, also for those of a Simulation.
func TestCluster_Karpenter(t *testing.T) {
	t.Parallel()
	kubectl := kubectlPath(t)
	s := newSandbox(t)
	t.Cleanup(func() {
		cmd := exec.Command(binary(t, "skctl"), "cluster", "down")
		cmd.Env = s.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	s.skctl("cluster", "up", "--autoscaler", "karpenter", "--nodepools", "missing.yaml").check(t, wrongUsage)
	s.skctl("cluster", "up", "--autoscaler", "karpenter", "--instance-types", "general").check(t, done)
	kubeconfig := s.clusters()[0].Kubeconfig
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(kubectl, append([]string{"--kubeconfig", kubeconfig}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %q: %v: %s", args, err, out)
		}
		return string(out)
	}
	run("run", "one", "--image", "example.com/one", `--overrides={"spec": {"nodeSelector": {"type": "virtual"}}}`)
	run("wait", "--for=condition=Ready", "pod/one", "--timeout=3m")
	wants(t, "the nodes", run("get", "nodes", "--show-labels"), "karpenter.sh/nodepool=default", "type=virtual")
}
