package objects

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	simkubev1 "simkube.io/simkube/api/v1"
)

// MountedTrace returns the path of the node's file that is mounted into the driver's pod, or "" if
// there is none. For errors see [TracePath].
func MountedTrace(sim *simkubev1.Simulation) (string, error) {
	local, err := TracePath(sim.Spec.Driver.TracePath)
	if sim.Annotations[simkubev1.AnnotationSkipLocalVolumeMount] == "true" {
		local = ""
	}
	return local, err
}

// TracePath returns the path of a trace on the node, or "" if the trace is elsewhere. It returns an
// error if a local trace has no valid path.
func TracePath(trace string) (string, error) {
	if strings.HasPrefix(trace, "/") {
		return cleanPath(trace)
	}
	if !strings.HasPrefix(trace, "file://") {
		return "", nil
	}
	location, err := url.Parse(trace)
	if err != nil {
		return "", fmt.Errorf("tracePath: %w", err)
	}
	if location.Host != "" && location.Host != "localhost" {
		return "", fmt.Errorf("invalid tracePath %q: file:// must be followed by an absolute path; did you mean file:///%s%s?", trace, location.Host, location.Path)
	}
	return cleanPath(location.Path)
}

func cleanPath(p string) (string, error) {
	if p = path.Clean(p); p == "/" || p == "." {
		return "", errors.New("invalid tracePath: must name a file")
	}
	return p, nil
}

// volumes returns the driver's volumes: its certificate, a temporary folder, and, if they are used,
// the trace and the results.
func volumes(sim *simkubev1.Simulation) (volumes []corev1.Volume, mounts []corev1.VolumeMount) {
	add := func(name, at string, readOnly bool, source corev1.VolumeSource) {
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: source})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: at, ReadOnly: readOnly})
	}
	add(VolumeCertificate, tlsFolder, true, corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
		SecretName: simkubev1.DriverCertSecret,
		Items: []corev1.KeyToPath{
			{Key: corev1.TLSCertKey, Path: corev1.TLSCertKey}, {Key: corev1.TLSPrivateKeyKey, Path: corev1.TLSPrivateKeyKey},
		},
	}})
	add(volumeTemp, tempFolder, false, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	if results := sim.Spec.Results; results != nil && results.PersistentVolumeClaim != "" {
		add(VolumeResults, resultsFolder, false, corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: results.PersistentVolumeClaim},
		})
	}
	if local, err := MountedTrace(sim); err == nil && local != "" {
		add(VolumeTrace, local, true, corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
			Path: local, Type: new(corev1.HostPathFile),
		}})
	}
	return volumes, mounts
}
