package volumes

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"simkube.io/simkube/trace"
)

// object returns an object of a trace from YAML.
func object(t *testing.T, text string) trace.Object {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(data); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	o, err := trace.NewObject(&u)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// event is the objects that an event applies and deletes, as YAML.
type event struct{ applied, deleted []string }

func (e event) decode(t *testing.T) *trace.Event {
	t.Helper()
	var out trace.Event
	for _, text := range e.applied {
		out.Applied = append(out.Applied, object(t, text))
	}
	for _, text := range e.deleted {
		out.Deleted = append(out.Deleted, object(t, text))
	}
	return &out
}

func surveyed(t *testing.T, events ...event) *Survey {
	t.Helper()
	s := NewSurvey(&trace.Config{})
	for _, e := range events {
		s.Add(e.decode(t))
	}
	return s
}

var statefulSet = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "StatefulSet"}

const (
	gp3        = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: gp3}, provisioner: ebs.csi.aws.com}"
	defaultGP3 = `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: gp3, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}, provisioner: ebs.csi.aws.com}`
	standard   = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: standard}, provisioner: pd.csi.storage.gke.io}"
	// database has two claims of class gp3, silent two of no class.
	database = `{apiVersion: apps/v1, kind: StatefulSet, metadata: {namespace: shop, name: db}, spec: {replicas: 2,
		template: {spec: {containers: [{name: main}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: gp3}}]}}`
	silent = `{apiVersion: apps/v1, kind: StatefulSet, metadata: {namespace: shop, name: queue}, spec: {replicas: 2,
		template: {spec: {containers: [{name: main}]}}, volumeClaimTemplates: [{metadata: {name: data}, spec: {}}]}}`
	namesStandard = `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: files}, spec: {storageClassName: standard}}`
	asksNoClass   = `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: disk}, spec: {storageClassName: ""}}`
	silentClaim   = `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: files}, spec: {}}`
	spareVolume   = `{apiVersion: v1, kind: PersistentVolume, metadata: {name: disk-1}, spec: {hostPath: {path: /x}}}`
	usesFiles     = `{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web}, spec: {template: {spec: {
		volumes: [{name: v, persistentVolumeClaim: {claimName: files}}]}}}}`
	ephemeral = `{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: cache}, spec: {template: {spec: {
		volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast}}}}]}}}}`
)
