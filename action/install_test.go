package action

import (
	"archive/tar"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// programs returns the programs that install.sh must install.
func programs() []string { return []string{"skctl", "sk-cluster", "sk-cluster-virtual"} }

// install runs the step install, and returns its exit code.
func (j *job) install() int {
	j.t.Helper()
	for _, s := range read(j.t).Runs.Steps {
		if s.ID == "install" {
			return j.step(s)
		}
	}
	j.t.Fatal("there is no step install")
	return 0
}

// installed checks that the step has reported where the programs are.
func (j *job) installed() {
	j.t.Helper()
	for _, program := range programs() {
		if info, err := os.Stat(filepath.Join(j.outputs["install.bin"], program)); err != nil || info.Mode()&0o100 == 0 {
			j.t.Errorf("%s is not there to be run: %v", program, err)
		}
	}
}

// The programs of a release are downloaded to where a runner looks for them.
func TestInstall_Release(t *testing.T) {
	name := "simkube_" + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/simkube/simkube/releases/download/v1/"+name {
			http.NotFound(w, r)
			return
		}
		zip := gzip.NewWriter(w)
		files := tar.NewWriter(zip)
		for _, program := range programs() {
			if err := files.WriteHeader(&tar.Header{Name: program, Mode: 0o755, Typeflag: tar.TypeReg}); err != nil {
				t.Error(err)
			}
		}
		if err := files.Close(); err != nil {
			t.Error(err)
		}
		if err := zip.Close(); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	t.Setenv("GITHUB_SERVER_URL", server.URL)
	j := newJob(t, map[string]string{"trace": "x", "version": "v1"})
	if code := j.install(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, &j.log)
	}
	j.installed()
	if code := newJob(t, map[string]string{"trace": "x", "version": "v2"}).install(); code == 0 {
		t.Error("a release that is not there was installed")
	}
}

// The programs are built once, and then taken from the cache.
func TestInstall_Source(t *testing.T) {
	j := newJob(t, map[string]string{"trace": "x"})
	j.root = t.TempDir()
	if err := os.Mkdir(filepath.Join(j.root, "action"), 0o700); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("install.sh")
	if err != nil {
		t.Fatal(err)
	}
	makefile := "bin/%:\n\tmkdir -p bin && touch $@ && chmod +x $@ && echo built $@\n"
	for file, text := range map[string]string{"action/install.sh": string(script), "Makefile": makefile} {
		if err := os.WriteFile(filepath.Join(j.root, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if code := j.install(); code != 0 {
			t.Fatalf("exit code %d\n%s", code, &j.log)
		}
		j.installed()
	}
	for _, program := range programs() {
		if n := len(regexp.MustCompile(`(?m)^built bin/`+program+`$`).FindAllString(j.log.String(), -1)); n != 1 {
			t.Errorf("%s was built %d times\n%s", program, n, &j.log)
		}
	}
	if !strings.Contains(j.log.String(), "in the cache") {
		t.Errorf("the cache was not used\n%s", &j.log)
	}
}

// The programs are targets of the Makefile.
func TestInstall_Targets(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs() {
		if !regexp.MustCompile(`(?m)^bin/([^:\n]* bin/)?` + program + `( bin/[^:\n]*)?:`).Match(makefile) {
			t.Errorf("the Makefile has no target bin/%s", program)
		}
	}
}

// A folder without the programs is an error.
func TestInstall_Folder(t *testing.T) {
	j := newJob(t, map[string]string{"trace": "x", "bin": t.TempDir()})
	if code := j.run(); code != 1 || !strings.Contains(j.log.String(), "has no program skctl") {
		t.Errorf("got %d and\n%s", code, &j.log)
	}
}
