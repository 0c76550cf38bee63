package testkubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestMounts_Rewrite(t *testing.T) {
	spec := &corev1.Container{VolumeMounts: []corev1.VolumeMount{
		{Name: "data", MountPath: "/data"}, {Name: "trace", MountPath: "/data/trace"}, {Name: "certs", MountPath: "/etc/certs/", SubPath: "tls"},
	}}
	paths, err := mountsOf(spec, map[string]string{"data": "/tmp/d", "trace": "/tmp/t", "certs": "/tmp/c"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                           "",
		"/data":                      "/tmp/d",
		"/data/x":                    "/tmp/d/x",
		"/data/trace":                "/tmp/t",
		"/data/traces":               "/tmp/d/traces",
		"/database":                  "/database",
		"/var/data":                  "/var/data",
		"--key=/etc/certs/key":       "--key=/tmp/c/tls/key",
		"file:///data/trace":         "file:///tmp/t",
		"s3://data/trace":            "s3://data/trace",
		"https://host/data/trace":    "https://host/data/trace",
		"/data/a:/data/b,/data/c":    "/tmp/d/a:/tmp/d/b,/tmp/d/c",
		`cat '/data/a' >/data/trace`: `cat '/tmp/d/a' >/tmp/t`,
	} {
		if got := paths.rewrite(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if _, err := mountsOf(spec, nil); err == nil {
		t.Error("a mount of no volume is taken")
	}
}
