package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/storage"
	"simkube.io/simkube/storage/storagetest"
	"simkube.io/simkube/trace"
)

const exampleTrace = "../examples/first-steps.sktrace"

// copyExample copies the example trace into the sandbox.
func (s *sandbox) copyExample(name string) []byte {
	s.t.Helper()
	raw, err := os.ReadFile(exampleTrace)
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(s.dir, name), raw, 0o600))
	return raw
}

// onlyHas checks that a folder has the named files and no others.
func onlyHas(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("the folder has %q, want %q", got, names)
	}
}

func TestTransform(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.copyExample("in.sktrace")
	writeFile(t, filepath.Join(s.dir, "program.skel"), `# everything three times
modify(kind == "Deployment", spec.replicas = 3);
delete(kind == "ConfigMap" || kind == "Namespace");
`)
	r := s.skctl("transform", "in.sktrace", "program.skel", "-o", "out.sktrace")
	r.check(t, done)
	wants(t, "standard output", r.stdout, "OBJECTS DELETED", `2: modify(kind == "Deployment", spec.replicas = 3)`, "in total")
	wants(t, "standard error", r.stderr, "written to out.sktrace")
	tr, err := trace.ReadFile(filepath.Join(s.dir, "out.sktrace"))
	must(t, err)
	deployments := 0
	for i := range tr.Events {
		for j := range tr.Events[i].Applied {
			u, err := tr.Events[i].Applied[j].Unstructured()
			must(t, err)
			if u.GetKind() != "Deployment" {
				continue
			}
			deployments++
			if spec, ok := u.Object["spec"].(map[string]any); !ok || spec["replicas"] != int64(3) {
				t.Errorf("%s has %v", u.GetName(), u.Object["spec"])
			}
		}
	}
	if deployments == 0 {
		t.Error("no Deployment is left")
	}
	index := trace.Index{}
	for i := range tr.Events {
		index.Record(&tr.Events[i])
	}
	for gvk, names := range index {
		if !maps.Equal(names, tr.Index[gvk]) {
			t.Errorf("index of %s: got %v, want %v", gvk, tr.Index[gvk], names)
		}
	}
	if len(index) != len(tr.Index) {
		t.Errorf("the index has %d kinds, want %d", len(tr.Index), len(index))
	}
	onlyHas(t, s.dir, "in.sktrace", "program.skel", "out.sktrace")
}

// A failed transformation changes nothing.
func TestTransform_Fails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		program string
		damage  bool
		code    int
		want    []string
	}{
		"syntax": {"remove(status)\nremove(spec..x);", false, failed, []string{"program.skel:"}},
		"an object that the program cannot change": {
			`modify(kind == "Deployment", spec.replicas.x = 1);`, false, failed,
			[]string{"program.skel:1:1", "event 0 at", "apps/v1.Deployment demo/web", "spec.replicas is 3"},
		},
		"damaged": {"remove(status);", true, failed, []string{"in.sktrace: byte ", "the trace ends here"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			raw := s.copyExample("in.sktrace")
			if test.damage {
				writeFile(t, filepath.Join(s.dir, "in.sktrace"), string(raw[:len(raw)-100]))
			}
			writeFile(t, filepath.Join(s.dir, "program.skel"), test.program)
			writeFile(t, filepath.Join(s.dir, "out.sktrace"), "what was there")
			r := s.skctl("transform", "in.sktrace", "program.skel", "-o", "out.sktrace")
			r.check(t, test.code)
			wants(t, "standard error", r.stderr, test.want...)
			if got, err := os.ReadFile(filepath.Join(s.dir, "out.sktrace")); err != nil || string(got) != "what was there" {
				t.Errorf("the output that was there is %q, %v", got, err)
			}
			onlyHas(t, s.dir, "in.sktrace", "program.skel", "out.sktrace")
			onlyHas(t, s.tmp)
		})
	}
}

// A dry run shows changes and writes nothing.
func TestTransform_DryRun(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.copyExample("in.sktrace")
	r := s.skctl("transform", "in.sktrace", "--dry-run", "--changes", "1", "-e", `modify(kind == "Deployment", spec.replicas = 77);`)
	r.check(t, done)
	wants(t, "standard output", r.stdout, "apps/v1.Deployment demo/web", "-   replicas: 3", "+   replicas: 77", "would become")
	if n := strings.Count(r.stdout, "@@"); n != 2 {
		t.Errorf("there are %d marks of a difference, want those of one:\n%s", n, r.stdout)
	}
	onlyHas(t, s.dir, "in.sktrace")
}

// A transformation that waits for its input can be interrupted.
func TestTransform_Interrupted(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	raw := s.copyExample("in.sktrace")
	input, feed, err := os.Pipe()
	must(t, err)
	defer feed.Close()
	cmd := s.prepare("skctl", "transform", "-", "-o", "out.sktrace", "-e", "remove(status);")
	cmd.cmd.Stdin = input
	must(t, cmd.cmd.Start())
	must(t, input.Close())
	_, err = feed.Write(raw[:len(raw)/2])
	must(t, err)
	eventually(t, "all that there is to be read", func(context.Context) string {
		size := int64(0)
		must(t, filepath.WalkDir(s.tmp, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				size += info.Size()
			}
			return err
		}))
		if size != int64(len(raw)/2) {
			return fmt.Sprintf("%d of %d bytes were read", size, len(raw)/2)
		}
		return ""
	})
	cmd.signal(os.Interrupt)
	r := cmd.wait()
	r.check(t, interrupted)
	onlyHas(t, s.dir, "in.sktrace")
	onlyHas(t, s.tmp)
}

// Traces are transformed from one bucket to another, on each cloud's server.
func TestTransform_Buckets(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *storagetest.Server{
		"S3": storagetest.StartS3, "Google": storagetest.StartGoogle, "Azure": storagetest.StartAzure,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			server := start(t)
			for key, value := range server.Env {
				s.env = append(s.env, key+"="+value)
			}
			raw := s.copyExample("in.sktrace")
			client := server.Client(t, storage.Options{})
			input := location(t, server.Prefix+"in.sktrace")
			w, err := client.Create(t.Context(), input)
			must(t, err)
			_, err = w.Write(raw)
			must(t, err)
			must(t, w.Commit())

			r := s.skctl("transform", server.Prefix+"in.sktrace", "-o", server.Prefix+"out.sktrace", "-e", `delete(kind == "Deployment");`)
			r.check(t, done)
			got, err := client.Open(t.Context(), location(t, server.Prefix+"out.sktrace"))
			must(t, err)
			stored, err := io.ReadAll(got)
			must(t, err)
			must(t, got.Close())
			tr, err := trace.Read(bytes.NewReader(stored))
			must(t, err)
			if n := len(history(t, tr, "Deployment")); n > 0 {
				t.Errorf("%d changes of Deployments are left", n)
			}

			r = s.skctl("transform", server.Prefix+"in.sktrace", "-o", server.Prefix+"none.sktrace", "-e", `modify(kind = 5);`)
			r.check(t, failed)
			if got, want := server.Objects(t), []string{"in.sktrace", "out.sktrace"}; !slices.Equal(got, want) {
				t.Errorf("in the bucket are %q, want %q", got, want)
			}
			if got := server.Unfinished(t); len(got) > 0 {
				t.Errorf("there are unfinished uploads: %q", got)
			}
			onlyHas(t, s.tmp)
		})
	}
}

func location(t *testing.T, url string) storage.Location {
	t.Helper()
	l, err := storage.Parse(url)
	must(t, err)
	return l
}

// A trace can be simulated after every kind of transformation.
func TestTransform_Simulate(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.copyExample("in.sktrace")
	writeFile(t, filepath.Join(s.dir, "program.skel"), `
remove(status);
modify(kind == "Deployment", spec.template.spec.priorityClassName = "what-if");
insert(0s, {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "what-if"}, "value": 1000});
duplicate(kind == "Deployment", 2);
scale(metadata.labels."simkube.io/copy" == "2", 2);
shift(metadata.labels."simkube.io/copy" == "1", 30s);
modify(metadata.labels."simkube.io/copy" == "2", metadata.namespace = "another");
`)
	s.skctl("transform", "in.sktrace", "program.skel", "-o", "out.sktrace").check(t, done)
	s.skctl("trace", "info", "out.sktrace").check(t, done)
	r := s.skctl("simulate", "out.sktrace", "-o", "result")
	r.check(t, done)
	lacks(t, "standard error", r.stderr, "warning")
}

// Recordings of real clusters pass through all tools, one after the other: sanitised, validated,
// inspected, converted to JSON and back, and replayed with as many pods as before.
func TestTransform_Samples(t *testing.T) {
	t.Parallel()
	for name, program := range map[string]string{"bare-pods": "sanitize-pods", "cronjob": "sanitize-cronjobs"} {
		t.Run(name, func(t *testing.T) {
			file := prerequisite.Recording(t, name+".sktrace")
			script, err := filepath.Abs(filepath.Join("..", "examples", "skel", program+".skel"))
			must(t, err)
			s := newSandbox(t)
			s.skctl("transform", file, script, "-o", "clean.sktrace").check(t, done)
			s.skctl("validate", "clean.sktrace").check(t, done)
			r := s.skctl("trace", "info", "clean.sktrace")
			r.check(t, done)
			wants(t, "standard output", r.stdout, "lifecycles")
			r = s.skctl("xray", "clean.sktrace", "--diff")
			r.check(t, done)
			wants(t, "standard output", r.stdout, "+")

			r = s.skctl("trace", "cat", "--all", "clean.sktrace")
			r.check(t, done)
			writeFile(t, filepath.Join(s.dir, "clean.json"), r.stdout)
			s.skctl("trace", "from-json", "clean.json", "-o", "again.sktrace").check(t, done)
			before, err := os.ReadFile(filepath.Join(s.dir, "clean.sktrace"))
			must(t, err)
			after, err := os.ReadFile(filepath.Join(s.dir, "again.sktrace"))
			must(t, err)
			if !bytes.Equal(before, after) {
				t.Error("through JSON and back it is another trace")
			}

			s.skctl("simulate", "clean.sktrace", "-o", "out").check(t, done)
			run, err := results.Read(filepath.Join(s.dir, "out"))
			must(t, err)
			if got, want := len(run.Pods), len(recordedPods(t, file)); got != want {
				t.Errorf("pods: got %d, recorded %d", got, want)
			}
		})
	}
}
