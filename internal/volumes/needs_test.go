package volumes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSurvey_Needs(t *testing.T) {
	const (
		addedFor = `the StorageClass "standard" is added as the default, because the trace has none: `
		lost     = "their pods stay pending; record StorageClasses too, or remove the name of the class, so that the default class is used"
	)
	for name, c := range map[string]struct {
		events       []event
		defaultClass string
		infos        []string
		warnings     []string
	}{
		"no claims": {events: []event{{applied: []string{gp3}}}},
		"class":     {events: []event{{applied: []string{database}}, {applied: []string{gp3}}}},
		"missing class": {
			events:   []event{{applied: []string{database}}},
			warnings: []string{`2 claims of apps/v1.StatefulSet shop/db need the StorageClass "gp3", which is not in the trace: ` + lost},
		},
		"default class of the trace": {events: []event{{applied: []string{silent, defaultGP3}}}},
		"no default class": {
			events:       []event{{applied: []string{silent, gp3}}},
			defaultClass: "standard",
			infos:        []string{addedFor + "2 claims of apps/v1.StatefulSet shop/queue use it"},
		},
		"default class by name": {
			events:       []event{{applied: []string{namesStandard, usesFiles}}},
			defaultClass: "standard",
			infos:        []string{addedFor + "1 claim of v1.PersistentVolumeClaim shop/files use it"},
		},
		"another class of that name": {
			events:       []event{{applied: []string{silentClaim, standard}}},
			defaultClass: "standard-simulated",
			infos:        []string{`the StorageClass "standard-simulated" is added as the default, because the trace has none: 1 claim of v1.PersistentVolumeClaim shop/files use it`},
		},
		"default class that claims show": {
			events: []event{{applied: []string{
				silent,
				`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data-queue-0}, spec: {storageClassName: gp2}}`,
			}}},
			defaultClass: "gp2",
			infos:        []string{`the StorageClass "gp2" is added as the default, because the trace has none: 2 claims of apps/v1.StatefulSet shop/queue use it`},
		},
		"volumes without a class": {events: []event{{applied: []string{silentClaim, spareVolume}}}},
		"volume that is asked for": {
			events:       []event{{applied: []string{silentClaim, asksNoClass, spareVolume}}},
			defaultClass: "standard",
			infos:        []string{addedFor + "1 claim of v1.PersistentVolumeClaim shop/files use it"},
		},
		"no volume without a class": {
			events: []event{{applied: []string{asksNoClass}}},
			warnings: []string{"1 claim of v1.PersistentVolumeClaim shop/disk asks for a volume without a class, and the trace does not have enough such volumes: " +
				"their pods stay pending; record PersistentVolumes too, or remove the empty name of the class, so that the default class is used"},
		},
		"static volume of a class that does not exist": {events: []event{{applied: []string{
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: geo}, spec: {storageClassName: geo}}`,
			`{apiVersion: v1, kind: PersistentVolume, metadata: {name: geo}, spec: {storageClassName: geo, hostPath: {path: /x}}}`,
		}}}},
		"bound claims of a StatefulSet": {events: []event{{applied: []string{
			database,
			`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: data-db-0}, spec: {storageClassName: gp3, volumeName: pvc-0}}`,
			`{apiVersion: v1, kind: PersistentVolume, metadata: {name: pvc-0}, spec: {storageClassName: gp3, claimRef: {namespace: shop, name: data-db-0}}}`,
			`{apiVersion: v1, kind: PersistentVolume, metadata: {name: pvc-1}, spec: {storageClassName: gp3, claimRef: {namespace: shop, name: data-db-1}}}`,
		}}}},
		"missing claim": {
			events:   []event{{applied: []string{usesFiles}}},
			warnings: []string{"pods of apps/v1.Deployment shop/web use the claims shop/files, not in the trace: they stay pending; record PersistentVolumeClaims too"},
		},
		"ephemeral": {
			events:   []event{{applied: []string{ephemeral}}},
			warnings: []string{`1 claim of apps/v1.Deployment shop/cache needs the StorageClass "fast", which is not in the trace: ` + lost},
		},
		"claim of a StatefulSet used by another": {events: []event{{applied: []string{
			gp3, database,
			`{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: backup}, spec: {volumes: [{name: v, persistentVolumeClaim: {claimName: data-db-1}}]}}`,
		}}}},
		"local volume": {
			events: []event{{applied: []string{`{apiVersion: v1, kind: PersistentVolume, metadata: {name: l}, spec: {nodeAffinity: {required: {nodeSelectorTerms: [
				{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [ip-1]}]}]}}}}`}}},
			infos: []string{"1 recorded volume is stored on hosts that are not simulated: their pods can run on all nodes"},
		},
		"limits": {
			events: []event{{applied: []string{csiNode("a", 25), csiNode("b", 25), csiNode("c", 100)}}},
			infos:  []string{"each node takes at most 25 volumes of the driver ebs.csi.aws.com, as in most CSINodes of the trace"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			needs := surveyed(t, c.events...).Needs()
			if needs.DefaultClass != c.defaultClass {
				t.Errorf("default class: got %q, want %q", needs.DefaultClass, c.defaultClass)
			}
			if diff := cmp.Diff(c.infos, needs.Infos([]string{"node-0001"})); diff != "" {
				t.Errorf("infos (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.warnings, needs.Warnings()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
