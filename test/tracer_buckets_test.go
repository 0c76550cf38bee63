package test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"simkube.io/simkube/storage"
	"simkube.io/simkube/storage/storagetest"
	"simkube.io/simkube/trace"
)

// testTracerBuckets makes tracers export to buckets.
func testTracerBuckets(t *testing.T, c *tracedCluster) {
	c.namespace(t, "buckets")
	c.configMap(t, "buckets", "one", "1")
	for name, start := range map[string]func(testing.TB) *storagetest.Server{
		"S3": storagetest.StartS3, "Google": storagetest.StartGoogle, "Azure": storagetest.StartAzure,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bucketTest{sandbox: newSandbox(t), server: start(t)}
			b.config = filepath.Join(b.dir, "config.yaml")
			writeFile(t, b.config, "trackedObjects: {v1.ConfigMap: {}}\n")
			b.tracer = b.start(c, b.server.Env)
			b.run(t, c)
		})
	}
}

type bucketTest struct {
	*sandbox
	server *storagetest.Server
	config string
	tracer *tracerProgram
}

func (b *bucketTest) start(c *tracedCluster, env map[string]string) *tracerProgram {
	b.t.Helper()
	tracer := b.startTracer(env, b.config, "--kubeconfig", c.kubeconfig, "--in-memory",
		"--allow-destination", b.server.Prefix+"exports", "--allow-destination", strings.TrimSuffix(b.server.Missing, "/"))
	tracer.ready()
	nextSecond() // the end of a trace is exclusive
	nextSecond()
	return tracer
}

// exportTo makes a tracer export to a URL.
func (b *bucketTest) exportTo(tracer *tracerProgram, url string) result {
	b.t.Helper()
	return b.skctl("export", "-o", url, "--tracer-address", tracer.url, "--included-namespaces", "buckets")
}

func (b *bucketTest) run(t *testing.T, c *tracedCluster) {
	stored := b.server.Prefix + "exports/monday.sktrace"
	r := b.exportTo(b.tracer, stored)
	r.check(t, done)
	wants(t, "standard error", r.stderr, "exported ", stored)
	b.wantObjects(t)
	location, err := storage.Parse(stored)
	must(t, err)
	reader, err := b.server.Client(t, storage.Options{}).Open(t.Context(), location)
	must(t, err)
	tr, err := trace.Read(reader)
	must(t, err)
	must(t, reader.Close())
	if got := history(t, tr, "ConfigMap"); !slices.Equal(got, []string{"+ ConfigMap one 1"}) {
		t.Errorf("the stored trace has %q", got)
	}

	t.Run("not allowed", func(t *testing.T) {
		r := b.exportTo(b.tracer, b.server.Prefix+"elsewhere/monday.sktrace")
		r.check(t, failed)
		wants(t, "standard error", r.stderr, "is not allowed to write there", "--allow-destination")
		b.wantObjects(t)
	})
	t.Run("missing bucket", func(t *testing.T) {
		url := b.server.Missing + "monday.sktrace"
		r := b.exportTo(b.tracer, url)
		r.check(t, failed)
		wants(t, "standard error", r.stderr, url, "does not exist")
		if code, body := b.post(t, b.tracer, url); code != http.StatusNotFound {
			t.Errorf("got %d, want 404: %s", code, body)
		}
	})
	t.Run("server gone in the middle", func(t *testing.T) {
		b.server.Proxy.CutUpload(100, true)
		r := b.exportTo(b.tracer, b.server.Prefix+"exports/tuesday.sktrace")
		if b.server.Proxy.Restore() == 0 {
			t.Fatal("the connection was not broken")
		}
		r.check(t, failed)
		wants(t, "standard error", r.stderr, "exports/tuesday.sktrace", "nothing was stored")
		b.wantObjects(t)
	})
	for name, env := range b.server.Wrong {
		if name != "wrong secret" && name != "wrong key" { // the others fail before a request is sent
			continue
		}
		t.Run(name, func(t *testing.T) {
			tracer := b.start(c, env)
			url := b.server.Prefix + "exports/wednesday.sktrace"
			r := b.exportTo(tracer, url)
			r.check(t, failed)
			wants(t, "standard error", r.stderr, url)
			if code, body := b.post(t, tracer, url); code != http.StatusBadGateway {
				t.Errorf("got %d, want 502: %s", code, body)
			}
			for _, value := range []string{b.server.Env["AWS_SECRET_ACCESS_KEY"], b.server.Env["AZURE_STORAGE_ACCOUNT_KEY"]} {
				if value != "" {
					lacks(t, "standard error", r.stderr+tracer.stderr.text(), value)
				}
			}
			b.wantObjects(t)
		})
	}
}

// wantObjects checks that the first export exists, and that the others have left nothing.
func (b *bucketTest) wantObjects(t *testing.T) {
	t.Helper()
	if got := b.server.Objects(t); !slices.Equal(got, []string{"exports/monday.sktrace"}) {
		t.Errorf("in the bucket are %q", got)
	}
	if got := b.server.Unfinished(t); len(got) > 0 {
		t.Errorf("there are unfinished uploads: %q", got)
	}
}

// post exports without skctl.
func (b *bucketTest) post(t *testing.T, tracer *tracerProgram, url string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tracer.url+"/export",
		strings.NewReader(`{"start_ts": 1, "end_ts": 4000000000, "export_path": "`+url+`"}`))
	must(t, err)
	return tracer.do(req)
}
